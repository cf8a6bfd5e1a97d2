// npm's prepare script, also `npm run build`: makes dist/, packages/jobs/dist/, packages/server/dist/ and the addon, or finds in well under a second that all are current.
//   node scripts/prepare.mjs [--force]
// npx runs this again whenever it is used inside a checkout. BERTHA_CUDA=0|1|emulated decides about CUDA and is
// remembered (emulated: device 'cuda' is computed on the host; see docs/cuda.md).
import { buildAddon } from './build/addon.mjs';
import { buildDist } from './build/dist.mjs';
import { buildJobs } from './build/jobs.mjs';
import { buildServer } from './build/server.mjs';
import { packageDirectory } from './build/project.mjs';
import { showLine } from './build/terminal.mjs';

const force = process.argv.includes('--force');
if (packageDirectory('typescript') === undefined || packageDirectory('node-gyp') === undefined) {
  showLine('development dependencies are not installed (--omit=dev): nothing is built. Run npm ci to build.');
} else {
  for (const build of [
    () => buildDist({ force }),
    () => buildJobs({ force }),
    () => buildServer({ force }),
    () => buildAddon('node-gyp', { force }),
  ]) {
    try {
      await build();
    } catch (error) {
      showLine(error.message);
      process.exitCode = 1;
    }
  }
}
