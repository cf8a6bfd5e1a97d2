// Compiles packages/server, and its page.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot, packageDirectory, packageVersion } from './project.mjs';
import { showLine } from './terminal.mjs';
import { buildWorkspace } from './workspace.mjs';

const page = inRoot('packages', 'server', 'ui');

/** Returns true when it compiled. Runs after `buildDist`. */
export function buildServer({ force = false } = {}) {
  return buildWorkspace('server', {
    force,
    needs: ['typebox', 'prom-client', 'bertha-encoder'],
    sources: ['packages/server/ui'],
    versions: { preact: packageVersion('preact') },
    complete: (dist) => buildPage(join(dist, 'ui')),
  });
}

/** The page at /ui as few small files. */
async function buildPage(out) {
  if (packageDirectory('preact') === undefined) {
    showLine('preact is not installed: the page at /ui is not built. Run npm ci.');
    return;
  }
  const { build } = await import('esbuild');
  await build({
    entryPoints: { page: join(page, 'main.tsx') },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  await build({ entryPoints: { page: join(page, 'style.css') }, outdir: out, minify: true, logLevel: 'silent' });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(page, name), join(out, name));
}
