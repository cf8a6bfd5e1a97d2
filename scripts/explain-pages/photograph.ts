// `npm run docs:pages`: the pictures of docs/explain.md, from pages of the bundled model in Chromium. Needs `npm ci --prefix test/adapters`.
//   node --import tsx scripts/explain-pages/photograph.ts [FOLDER]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { render, type ExplainResult } from '../../src/explain/index.js';
import { openChromium } from '../../test/support/chromium.js';
import { attribution, heads, map, similarity } from './results.js';

const out = process.argv[2] ?? join('docs', 'explain');

const photographs: readonly {
  readonly name: string;
  readonly theme: 'light' | 'dark';
  readonly height: number;
  result(): Promise<ExplainResult>;
}[] = [
  { name: 'attribution', theme: 'light', height: 560, result: attribution },
  { name: 'similarity', theme: 'dark', height: 860, result: similarity },
  { name: 'attention', theme: 'light', height: 650, result: heads },
  { name: 'map', theme: 'dark', height: 720, result: map },
];

const browser = await openChromium((what) => process.stderr.write(`${what}\n`));
if (browser === undefined) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'bertha-photographs-'));
mkdirSync(out, { recursive: true });
for (const { name, theme, height, result } of photographs) {
  const file = join(folder, `${name}.html`);
  writeFileSync(file, render(await result(), 'html', { language: 'en' }));
  const page = await browser.newPage({ colorScheme: theme, viewport: { width: 980, height } });
  await page.goto(pathToFileURL(file).href);
  await page.locator('main section').first().waitFor();
  if (name === 'attention') await page.locator('.head[aria-pressed=true]').waitFor();
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  const { byteLength } = await page.screenshot({ path: join(out, `${name}.png`) });
  process.stdout.write(`${name}.png ${byteLength} bytes\n`);
  await page.close();
}
await browser.close();
rmSync(folder, { recursive: true, force: true });
