// `npm run check:package`: what people will install, looked at by publint (package.json against the files) and by
// @arethetypeswrong/cli (how TypeScript and Node.js resolve it: node10, node16 from CommonJS and from ES modules, bundler).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { inRoot, packageDirectory } from './build/project.mjs';

const packed = spawnSync(process.execPath, [inRoot('scripts', 'pack-all.mjs')], { stdio: 'inherit' });
if (packed.status !== 0) process.exit(1);

const packages = inRoot('build', 'packages');
let problems = 0;
for (const name of readdirSync(packages).filter((entry) => !entry.endsWith('.tgz'))) {
  const { messages, pkg } = await publint({ pkgDir: join(packages, name), level: 'warning', strict: true });
  for (const message of messages) process.stdout.write(`publint ${pkg.name}: ${formatMessage(message, pkg)}\n`);
  problems += messages.length;
}

const tarball = readdirSync(packages).find((entry) => /^bertha-encoder-\d.*\.tgz$/.test(entry));
const attw = join(packageDirectory('@arethetypeswrong/cli'), 'dist', 'index.js');
const types = spawnSync(
  process.execPath,
  [attw, join(packages, tarball), '--no-definitely-typed', '--format', 'ascii', '--no-emoji', '--no-color'],
  {
    encoding: 'utf8',
  },
);
if (types.status !== 0) {
  problems++;
  process.stdout.write(`${types.stdout}${types.stderr}`);
}
process.stdout.write(`package checks: ${problems} problems\n`);
process.exitCode = problems > 0 ? 1 : 0;
