import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { checkout } from '../support/mini-checkout.js';
import { skip } from '../support/skip.js';
import { attention } from '../../src/explain/index.js';
import { generate, loadModel, translate } from '../../src/index.js';
import { golden, serve, serverSuite, tinyModels, type Serving } from './support/serving.js';

// What of playwright-core is used here; it lies with the packages of test/adapters.
interface Locator {
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  focus(): Promise<void>;
  waitFor(options?: { state: 'visible' }): Promise<void>;
  first(): Locator;
  textContent(): Promise<string | null>;
  getAttribute(name: string): Promise<string | null>;
  selectOption(value: string): Promise<unknown>;
  allTextContents(): Promise<string[]>;
}
interface Page {
  on(event: 'console', listen: (message: { type(): string; text(): string }) => void): void;
  on(event: 'request', listen: (request: { url(): string }) => void): void;
  on(event: 'pageerror', listen: (error: Error) => void): void;
  goto(url: string): Promise<unknown>;
  locator(selector: string): Locator;
  evaluate<T>(script: string): Promise<T>;
  keyboard: { press(key: string): Promise<void> };
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>;
}
interface Browser {
  newPage(options?: object): Promise<Page>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: { launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser> };
}

const t = serverSuite('server: page');
let server: Serving;
let browser: Browser | undefined;

/** Chromium by playwright-core, or undefined after the test was skipped by name. */
async function openBrowser(): Promise<Browser | undefined> {
  if (browser !== undefined) return browser;
  const name = ['chromium', 'chromium-browser', 'google-chrome'].find((each) => spawnSync(each, ['--version']).status === 0);
  if (name === undefined) return void skip('no chromium on this machine');
  let playwright: Playwright;
  try {
    playwright = createRequire(join(checkout, 'test', 'adapters', 'package.json'))('playwright-core') as Playwright;
  } catch {
    return void skip('playwright-core not installed: npm ci --prefix test/adapters --ignore-scripts --omit=optional');
  }
  const executablePath = spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
  return (browser = await playwright.chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] }));
}

t.before(async () => {
  const writer = { name: 'writer', model: golden('../golden-generation/tiny/marian-separate') };
  server = await serve({ models: [...tinyModels, { name: 'long', model: golden('tiny/bert-gelu-new') }, writer] });
});
t.after(async () => {
  await browser?.close();
  await server.close();
});

const files = ['/ui', '/ui/page.js', '/ui/page.css', '/ui/icon.svg'];

t('is served from memory, with a strict policy and an ETag, without a key', async () => {
  const guarded = await serve({ models: [], apiKeys: ['secret'] });
  for (const path of files) {
    const { status, headers } = await guarded.get(path);
    assert.equal([status, headers.get('x-content-type-options')], [200, 'nosniff'], path);
    assert.match(headers.get('content-security-policy')!, "default-src 'self'");
    const again = await fetch(guarded.address + path, { headers: { 'if-none-match': headers.get('etag')! } });
    assert.equal([again.status, await again.text()], [304, ''], path);
  }
  const redirected = await fetch(`${guarded.address}/ui/`, { redirect: 'manual' });
  assert.equal([redirected.status, redirected.headers.get('location')], [308, '../ui']);
  await guarded.close();
});

t('is at most 100 KB', () => {
  const sizes = ['index.html', 'page.js', 'page.css', 'icon.svg'].map(
    (name) => statSync(join(checkout, 'packages/server/dist/ui', name)).size,
  );
  assert.ok(sizes.reduce((sum, size) => sum + size) <= 100_000, String(sizes));
});

t('does every task once, in both languages, refuses once, and asks nobody else', async () => {
  const chromium = await openBrowser();
  if (chromium === undefined) return;
  const page = await chromium.newPage({ locale: 'en-US' });
  const [complaints, foreign]: [string[], string[]] = [[], []];
  page.on('console', (message) => void (['error', 'warning'].includes(message.type()) && complaints.push(message.text())));
  page.on('pageerror', (error) => void complaints.push(String(error)));
  page.on('request', (request) => void (!request.url().startsWith(server.address) && foreign.push(request.url())));
  await page.goto(`${server.address}/ui`);
  const tabs = page.locator('[role=tab]');
  await page.locator('#tab-compare').waitFor();
  const names = await tabs.allTextContents();
  assert.equal(names.length, 21, names.join());
  const ids = await page.evaluate<string[]>(`Array.from(document.querySelectorAll('[role=tab]'), ({ id }) => id)`);
  for (const id of ids.filter((each) => each !== 'tab-status')) {
    await page.locator(`#${id}`).click();
    await page.locator('button.run').click();
    await page.locator('.result > *:first-child, .error').waitFor();
    assert.is(await page.evaluate(`document.querySelector('.error')?.textContent ?? ''`), '', id);
  }
  await page.locator('#tab-status').click();
  await page.locator('figure:nth-child(8) svg:not([aria-label$="–"])').waitFor();
  assert.equal(await page.evaluate(`document.querySelectorAll('figure svg[role=img]').length`), 8);

  await page.locator('header select').selectOption('zh');
  await page.locator('html[lang=zh] #tab-compare').waitFor();
  assert.is(await page.locator('#tab-compare').textContent(), '比较');
  assert.equal([complaints, foreign], [[], []]);

  await page.locator('#tab-compare').click();
  await page.locator('textarea[name=texts]').fill('');
  await page.locator('button.run').click();
  await page.locator('.error[role=alert]').waitFor();
  assert.match((await page.locator('.error').textContent()) ?? '', /[Ee]mpty|at least one/);
});

t('a text appears while it is written, word by word or by beams, as the library writes it', async () => {
  const chromium = await openBrowser();
  if (chromium === undefined) return;
  const page = await chromium.newPage({ locale: 'en-US' });
  await page.goto(`${server.address}/ui#generate`);
  await page.locator('#tab-generate').waitFor();
  // What the page shows, each time it changes, of a text that comes letter by letter: the tiny model is done before its first word is read.
  await page.evaluate(`{
    const ask = window.fetch;
    window.fetch = async (...args) => {
      const response = await ask(...args);
      if (!response.headers.get('content-type').startsWith('text/event-stream')) return response;
      const whole = JSON.parse((await response.text()).trim().split('data: ').at(-1)).generated_text;
      const events = [...whole].map((text) => ({ token: { text }, generated_text: null }));
      events.push({ token: { text: '' }, generated_text: whole });
      const body = new ReadableStream({
        pull: async (controller) => {
          await new Promise((resolve) => setTimeout(resolve, 2));
          if (events.length === 0) controller.close();
          else controller.enqueue(new TextEncoder().encode('data: ' + JSON.stringify(events.shift()) + String.fromCharCode(10, 10)));
        },
      });
      return new Response(body, { headers: response.headers });
    };
    window.seen = [];
    new MutationObserver(() => seen.push(document.querySelector('.written')?.textContent ?? ''))
      .observe(document.querySelector('#panel'), { subtree: true, childList: true, characterData: true });
  }`);
  const wrote = async (): Promise<string> => {
    await page.locator('button.run').click();
    await page.locator('.written').waitFor();
    await page.locator('button.run:not([disabled])').waitFor();
    return (await page.locator('.written').textContent()) ?? '';
  };
  const model = await loadModel(golden('../golden-generation/tiny/marian-separate'));
  const written = await wrote();
  assert.is(written, (await generate(model, 'Once upon a time', { numBeams: 1, maxNewTokens: 24 }))[0]!.text);
  const seen = [...new Set(await page.evaluate<string[]>('seen'))].filter((text) => text !== '');
  assert.ok(seen.length > 2 && seen.every((text) => written.startsWith(text)), JSON.stringify(seen));
  await page.locator('input[name=seed]').fill('7');
  const drawn = { numBeams: 1, maxNewTokens: 24, doSample: true, seed: 7 };
  assert.is(await wrote(), (await generate(model, 'Once upon a time', drawn))[0]!.text);
  await page.locator('#tab-translate').click();
  await page.locator('textarea[name=text]').fill('The house is small.');
  await page.locator('input[name=beams]').fill('3');
  await page.locator('input[name=newTokens]').fill('9');
  const { text } = await translate(model, 'The house is small.', { numBeams: 3, maxNewTokens: 9, split: 'sentences' });
  assert.is(await wrote(), text);
  await page.locator('input[name=beams]').fill('many');
  await page.locator('button.run').click();
  await page.locator('.error[role=alert]').waitFor();
  model.dispose();
});

t('is used by the keyboard alone, and everything in it has a name', async () => {
  const chromium = await openBrowser();
  if (chromium === undefined) return;
  const page = await chromium.newPage({ locale: 'zh-CN', colorScheme: 'dark' });
  await page.goto(`${server.address}/ui#search`);
  await page.locator('#tab-search').focus();
  await page.locator('html[lang=zh] #tab-search').waitFor();
  await page.keyboard.press('ArrowDown');
  assert.is(await page.evaluate('document.activeElement.id'), 'tab-rerank');
  await page.keyboard.press('Home');
  assert.is(await page.locator('#tab-compare').getAttribute('aria-selected'), 'true');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.is(await page.evaluate('document.activeElement.tagName'), 'SELECT');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+Enter');
  await page.locator('.heat caption').waitFor();
  const nameless = `Array.from(document.querySelectorAll('input, select, textarea')).filter((each) => each.labels.length === 0 || each.labels[0].innerText.trim() === '').length`;
  assert.is(await page.evaluate(nameless), 0);
  assert.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(18, 23, 30)');
});

t('follows an explanation, stops it on demand and on leaving its tab, and asks for heads of a long text one by one', async () => {
  const chromium = await openBrowser();
  if (chromium === undefined) return;
  const page = await chromium.newPage({ locale: 'en-US' });
  const complaints: string[] = [];
  page.on('pageerror', (error) => void complaints.push(String(error)));
  await page.goto(`${server.address}/ui`);
  await page.locator('#tab-explain').click();
  await page.locator('input[name=target]').fill('neutral');
  await page.locator('select[name=method]').selectOption('occlusion');
  await page.locator('button.run').click();
  await page.locator('.result h3').waitFor();
  assert.match((await page.locator('.result').textContent())!, /Label: neutral.*occlusion/);
  await page.evaluate(`(() => {
    window.stops = 0;
    window.fetch = async (path, { signal }) => {
      const body = new ReadableStream({
        start(stream) {
          stream.enqueue(new TextEncoder().encode('{"done":1,"total":4}\\n{"done":2,'));
          stream.enqueue(new TextEncoder().encode('"total":4}\\n'));
          signal.addEventListener('abort', () => (window.stops++, stream.error(signal.reason)));
        },
      });
      return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
    };
  })()`);
  const bar = page.locator('progress[value="2"][max="4"]');
  await page.locator('button.run').click();
  await bar.waitFor();
  await page.locator('button.cancel').click();
  await page.locator('button.run:enabled').waitFor();
  assert.equal(await page.evaluate(`[window.stops, document.querySelectorAll('.error, progress, .cancel').length]`), [1, 0]);
  await page.locator('button.run').click();
  await bar.waitFor();
  await page.locator('#tab-compare').click();
  await page.locator('textarea[name=texts]').waitFor();
  assert.is(await page.evaluate('window.stops'), 2);

  const long = await chromium.newPage({ locale: 'en-US' });
  await long.goto(`${server.address}/ui`);
  await long.locator('#tab-attention').click();
  await long.locator('form select').first().selectOption('long');
  await long.locator('input[name=text]').fill('the band '.repeat(60));
  const asked: string[] = [];
  long.on('request', (request) => void asked.push(request.url()));
  await long.locator('button.run').click();
  await long.locator('.result .list tbody tr:first-child').waitFor();
  await long.locator('.result select').first().selectOption('0');
  await long.locator('.result .list tbody tr:first-child').waitFor();
  const model = await loadModel(golden('tiny/bert-gelu-new'));
  const { weights, tokens } = await attention(model, 'the band '.repeat(60), { layers: [0], heads: [0] });
  model.dispose();
  const count = tokens.length;
  const row = weights[0]!.data.subarray(count, 2 * count);
  const expected = Math.max(...row).toFixed(4);
  await long.locator(`.result .list tbody tr:first-child td:text-is("${expected}")`).waitFor();
  assert.ok(count > 64);
  assert.is(asked.filter((url) => url.endsWith('/tasks/attention')).length, 3);
  assert.equal(complaints, []);
});

t.run();
