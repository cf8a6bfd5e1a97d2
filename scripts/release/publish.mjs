// `node scripts/release/publish.mjs [--dry-run]`: publishes the tarballs that `npm run pack:all` left in build/packages, with a provenance
// statement (npm makes one in GitHub Actions alone): what the main package needs first, itself last. A version that is out already is
// left alone, so that a run that failed half way can be repeated.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { inRoot } from '../build/project.mjs';

const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
const folder = inRoot('build', 'packages');
const staged = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => JSON.parse(readFileSync(inRoot('build', 'packages', name, 'package.json'), 'utf8')))
  .sort((a, b) => Number(a.name === 'bertha-encoder') - Number(b.name === 'bertha-encoder'));
if (staged.at(-1)?.name !== 'bertha-encoder') throw new Error('Expected packed packages in build/packages. Run npm run pack:all.');

for (const { name, version } of staged) {
  const tarball = inRoot('build', 'packages', `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`);
  const isOut =
    !values['dry-run'] && spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' }).stdout.trim() === version;
  if (isOut) {
    process.stdout.write(`${name}@${version} is published already\n`);
    continue;
  }
  const args = ['publish', tarball, '--access', 'public', ...(values['dry-run'] ? ['--dry-run'] : ['--provenance'])];
  if (spawnSync('npm', args, { stdio: 'inherit' }).status !== 0)
    throw new Error(`Expected npm to publish ${name}@${version} but it failed.`);
}
