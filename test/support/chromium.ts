import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { checkout } from './mini-checkout.js';
import { skip } from './skip.js';

// What of playwright-core is used here; it lies with the packages of test/adapters.

/** An element of a page, or several. */
export interface Locator {
  click(): Promise<void>;
  hover(): Promise<void>;
  fill(text: string): Promise<void>;
  setInputFiles(path: string): Promise<void>;
  focus(): Promise<void>;
  press(key: string): Promise<void>;
  waitFor(options?: { state: 'visible' }): Promise<void>;
  textContent(): Promise<string | null>;
  getAttribute(name: string): Promise<string | null>;
  allTextContents(): Promise<string[]>;
  count(): Promise<number>;
  nth(index: number): Locator;
  first(): Locator;
}

/** A tab. */
export interface Page {
  on(event: 'console', listen: (message: { type(): string; text(): string }) => void): void;
  on(event: 'request', listen: (request: { url(): string }) => void): void;
  on(event: 'pageerror' | 'dialog', listen: (what: unknown) => void): void;
  goto(url: string): Promise<unknown>;
  locator(selector: string): Locator;
  evaluate<T>(script: string): Promise<T>;
  keyboard: { press(key: string): Promise<void> };
  screenshot(options: { path: string; fullPage?: boolean; clip?: object }): Promise<Buffer>;
  emulateMedia(options: { colorScheme: 'light' | 'dark' }): Promise<void>;
  close(): Promise<void>;
}

/** A browser with its tabs. */
export interface Browser {
  newPage(options?: object): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: { launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser> };
}

const ofAdapters = createRequire(join(checkout, 'test', 'adapters', 'package.json'));

/** The rules of axe-core that a page breaks, in light and, of those about colours, in dark: rule, what is wrong, where. */
export async function brokenRules(page: Page): Promise<string[]> {
  await page.evaluate(`${readFileSync(ofAdapters.resolve('axe-core'), 'utf8')};undefined`);
  const broken: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const only = colorScheme === 'dark' ? `runOnly: { type: 'rule', values: ['color-contrast'] }, ` : '';
    const found = await page.evaluate<string[]>(`axe.run(document, { ${only}resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ target, failureSummary }) => [id, target, failureSummary].join(' '))))`);
    broken.push(...found.map((each) => `${colorScheme}: ${each}`));
  }
  return broken;
}

/** Chromium by playwright-core, or undefined with what is missing told to `missing`; by default the running test is skipped. */
export async function openChromium(missing: (what: string) => void = skip): Promise<Browser | undefined> {
  const name = ['chromium', 'chromium-browser', 'google-chrome'].find((each) => spawnSync(each, ['--version']).status === 0);
  if (name === undefined) return void missing('no chromium on this machine');
  let playwright: Playwright;
  try {
    playwright = ofAdapters('playwright-core') as Playwright;
    ofAdapters.resolve('axe-core');
  } catch {
    return void missing('playwright-core, axe-core not installed: npm ci --prefix test/adapters --ignore-scripts --omit=optional');
  }
  const executablePath = spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
  return playwright.chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}
