// `npm run check:types`: every TypeScript file of the checkout; packages/server and packages/jobs with their tests as projects of their own.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { inRoot, packageDirectory } from './build/project.mjs';

const compiler = join(packageDirectory('typescript'), 'bin', 'tsc');
const projects = ['tsconfig.check.json', 'src/explain/pages/browser/tsconfig.json'];
if (packageDirectory('typebox') !== undefined) projects.push('packages/server/tsconfig.check.json');
else process.stdout.write('packages of packages/server are not installed: its types are not checked. Run npm ci.\n');
if (packageDirectory('sqlite-vec') !== undefined) projects.push('packages/jobs/tsconfig.check.json');
else process.stdout.write('packages of packages/jobs are not installed: its types are not checked. Run npm ci.\n');
if (packageDirectory('preact') !== undefined) projects.push('packages/server/ui/tsconfig.json');
for (const project of projects) {
  const { status } = spawnSync(process.execPath, [compiler, '--noEmit', '-p', project], { cwd: inRoot(), stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
