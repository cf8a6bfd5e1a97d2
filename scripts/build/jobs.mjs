// Compiles packages/jobs.
import { buildWorkspace } from './workspace.mjs';

/** Returns true when it compiled. Runs after `buildDist`. */
export function buildJobs({ force = false } = {}) {
  return buildWorkspace('jobs', { force, needs: ['sqlite-vec', 'htmlparser2', 'bertha-encoder'] });
}
