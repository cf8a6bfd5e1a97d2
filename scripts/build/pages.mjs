// The script and the style of pages of explanations: src/explain/pages/browser as one file of JSON, which src/explain/pages/assets.ts reads.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './project.mjs';

/** Writes explain/pages/assets.json into `dist`. */
export async function writePageAssets(dist) {
  const { build } = await import('esbuild');
  const folder = inRoot('src', 'explain', 'pages', 'browser');
  const bundled = async (file, settings) => {
    const { outputFiles } = await build({ entryPoints: [join(folder, file)], bundle: true, minify: true, write: false, logLevel: 'silent', ...settings });
    return outputFiles[0].text.trim();
  };
  const script = await bundled('main.ts', { format: 'iife', target: 'es2022', charset: 'utf8', legalComments: 'none' });
  const style = await bundled('style.css', { charset: 'utf8' });
  mkdirSync(join(dist, 'explain', 'pages'), { recursive: true });
  // An element of a script ends at the first "</script", wherever it stands.
  if (/<\/(?:script|style)/i.test(script + style)) throw new Error('Expected a script and a style of pages without an end tag in them.');
  writeFileSync(join(dist, 'explain', 'pages', 'assets.json'), JSON.stringify({ script, style }));
}
