// `npm run weights:small`: the weights packages in 16 and in 8 bits, in build/packages/, made of weights/ by quantizeModel. Prints one line for each: file,
// packed size, unpacked size, and the size of the weights' file.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDist } from '../build/dist.mjs';
import { inRoot } from '../build/project.mjs';

const output = inRoot('build', 'packages');
const manifest = JSON.parse(readFileSync(inRoot('packages', 'weights', 'package.json'), 'utf8'));
const described = {
  fp16: 'all-MiniLM-L6-v2 in 16 bits, and small heads for it: the default model of bertha-encoder in half the bytes',
  int8: 'all-MiniLM-L6-v2 in 8 bits, and small heads for it: the default model of bertha-encoder in a quarter of the bytes, computed in int8',
};

await buildDist();
const { quantizeModel } = await import('../../dist/index.js');
mkdirSync(output, { recursive: true });
for (const [dtype, description] of Object.entries(described)) {
  const folder = join(output, `weights-${dtype}`);
  rmSync(folder, { recursive: true, force: true });
  const { bytes } = await quantizeModel(inRoot('weights', 'all-MiniLM-L6-v2'), folder, { dtype });
  for (const name of ['LICENSE', 'NOTICE']) cpSync(inRoot(name), join(folder, name));
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ ...manifest, name: `${manifest.name}-${dtype}`, description }, null, 2)}\n`,
  );
  for (const old of readdirSync(output)) if (old.includes(`v2-${dtype}-`) && old.endsWith('.tgz')) rmSync(join(output, old));
  const packed = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', output], { cwd: folder, encoding: 'utf8' });
  if (packed.status !== 0) throw new Error(`Expected npm pack to succeed in ${folder} but it failed:\n${packed.stdout}${packed.stderr}`);
  const [{ filename, unpackedSize }] = JSON.parse(packed.stdout);
  const size = statSync(join(output, filename)).size;
  process.stdout.write(`build/packages/${filename}  ${size} bytes packed, ${unpackedSize} bytes unpacked, weights ${bytes} bytes\n`);
}
