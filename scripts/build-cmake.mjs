// `npm run build:cmake`: the same addon through cmake-js, in build-cmake/.   node scripts/build-cmake.mjs [--force]
import { buildAddon } from './build/addon.mjs';
import { showLine } from './build/terminal.mjs';

try {
  await buildAddon('cmake-js', { force: process.argv.includes('--force') });
} catch (error) {
  showLine(error.message);
  process.exitCode = 1;
}
