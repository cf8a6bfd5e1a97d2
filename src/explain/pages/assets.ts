import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unexpected } from '../../expected.js';
import { packageRoot } from '../../runtime/package-files.js';

/** What pages are drawn with: browser/ as one script and one style sheet, made when the package is built (scripts/build/pages.mjs). */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

let assets: PageAssets | undefined;

/** Reads the script and the style once. Errors: IO where they are not: in a bundle, or in a checkout that was not built. */
export function pageAssets(): PageAssets {
  return (assets ??= read());
}

function read(): PageAssets {
  const root = packageRoot();
  const hint =
    "Run npm run build in a checkout; leave bertha-encoder out of a bundle, as an external package. The formats 'svg', 'json' and 'text' need no file.";
  if (root === undefined) throw unexpected('IO', "the package's files for an HTML page", 'a bundle without them', { hint });
  const file = join(root, 'dist', 'explain', 'pages', 'assets.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PageAssets;
  } catch (error) {
    throw unexpected('IO', `the script and the style of pages in ${file}`, 'none', { hint, cause: error });
  }
}
