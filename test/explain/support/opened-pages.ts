// Pages of explanations in Chromium: opened, used, and closed with nothing to complain about.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as assert from 'uvu/assert';
import type { Attention } from '../../../src/explain/index.js';
import { brokenRules, openChromium, type Browser, type Page } from '../../support/chromium.js';

/** Where the pages of a test file are written. */
export const folder = mkdtempSync(join(tmpdir(), 'bertha-pages-'));
let browser: Browser | undefined;

/** Closes the browser and removes the pages. */
export async function closePages(): Promise<void> {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
}

/** The browser, or undefined where it is skipped. */
export const chromium = async (): Promise<Browser | undefined> => (browser ??= await openChromium());

/** A page that was opened. */
export interface Opened {
  readonly page: Page;
  /** What the console, errors and requests told that they should not have. */
  readonly complaints: readonly string[];
}

/** Opens a page in a narrow window, from a file. */
export async function open(file: string, content: string, options: object = {}): Promise<Opened> {
  const path = join(folder, file);
  writeFileSync(path, content);
  const complaints: string[] = [];
  const page = await (await chromium())!.newPage({ locale: 'en-US', viewport: { width: 390, height: 800 }, ...options });
  page.on('console', (message) => void complaints.push(message.text()));
  page.on('pageerror', (error) => void complaints.push(String(error)));
  page.on('dialog', () => void complaints.push('a dialog'));
  const address = pathToFileURL(path).href;
  page.on('request', (request) => void (request.url() !== address && request.url() !== 'data:,' && complaints.push(request.url())));
  await page.goto(address);
  return { page, complaints };
}

/** Closes a page that was as it should be: silent, without a request, not wider than the window, its picture more than one colour, nothing for axe to find. */
export async function finish({ page, complaints }: Opened, name: string): Promise<void> {
  assert.equal(complaints, [], name);
  assert.is(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${name} scrolls sideways`);
  const nameless = `Array.from(document.querySelectorAll('button, input, [role=button]')).filter((each) => (each.getAttribute('aria-label') ?? each.labels?.[0]?.textContent ?? each.textContent).trim() === '').length`;
  assert.is(await page.evaluate(nameless), 0, `${name} has controls without a name`);
  assert.is(await page.evaluate('document.querySelectorAll("[style]:not([style*=--]):not(.tip)").length'), 0, name);
  assert.ok((await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })).byteLength > 8000, name);
  assert.equal(await brokenRules(page), [], name);
  assert.equal(complaints, [], name);
  await page.close();
}

/** Attention as a model gives it: rows that add up to 1, most of each on few tokens. */
export function drawnAttention(count: number, layers: number, heads: number): Attention {
  let state = 1;
  const random = (): number => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) + 1) / 2 ** 32;
  const noise = Float32Array.from({ length: 4096 }, () => (-Math.log(random())) ** 3);
  const weights = Array.from({ length: layers }, (_, layer) => {
    const data = new Float32Array(heads * count * count);
    for (let row = 0; row < heads * count; row++) {
      const start = Math.floor(random() * noise.length);
      let sum = 0;
      for (let j = 0; j < count; j++) sum += data[row * count + j] = noise[(start + j * (layer + 1)) & (noise.length - 1)]!;
      for (let j = 0; j < count; j++) data[row * count + j]! /= sum;
    }
    return { data, dims: [heads, count, count] };
  });
  const token = (i: number) => ({ token: `token${i}`, id: i, start: 0, end: 0, sequence: 0, special: i === 0 || i === count - 1 });
  const list = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const tokens = list(count).map(token);
  return {
    text: 'drawn',
    tokens,
    layers: list(layers),
    heads: list(heads),
    kind: 'probability',
    weights,
    truncated: false,
    model: 'models/drawn',
  };
}
