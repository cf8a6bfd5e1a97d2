// `npm run release -- VERSION [--dry-run]`: sets the version, closes the changelog's Unreleased section, commits and tags.
// Pushing the tag lets .github/workflows/release.yml test, pack and publish. Nothing is published from here.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { inRoot, packageJson, root } from '../build/project.mjs';
import { releaseChangelog } from './changelog.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'dry-run': { type: 'boolean', default: false } } });
const isDry = values['dry-run'];
const [version] = positionals;

function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Expected ${command} ${args.join(' ')} to succeed but it ended with ${status}:\n${stdout}${stderr}`);
  return stdout.trim();
}

try {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version ?? '')) {
    throw new Error(`Expected a version such as ${packageJson.version} but received ${version ?? 'none'}.`);
  }
  const changed = run('git', 'status', '--porcelain');
  if (changed !== '') throw new Error(`Expected everything to be committed but these are not:\n${changed}`);
  if (run('git', 'tag', '--list', `v${version}`) !== '') throw new Error(`Expected a version without a tag but v${version} exists.`);
  const file = inRoot('CHANGELOG.md');
  const changelog = releaseChangelog(readFileSync(file, 'utf8'), version, new Date().toISOString().slice(0, 10));
  if (isDry) {
    process.stdout.write(changelog);
  } else {
    writeFileSync(file, changelog);
    run('npm', 'version', version, '--no-git-tag-version', '--ignore-scripts');
    const constant = inRoot('src', 'version.ts');
    writeFileSync(constant, readFileSync(constant, 'utf8').replace(`'${packageJson.version}'`, `'${version}'`));
    run('git', 'commit', '--quiet', '--all', '--message', `release: ${version}`);
    run('git', 'tag', '--annotate', `v${version}`, '--message', `bertha-encoder ${version}`);
    process.stdout.write(`v${version} is tagged here. To publish it: git push --follow-tags\n`);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
