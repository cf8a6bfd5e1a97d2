import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import {
  attention,
  attentionRollout,
  checkExplanation,
  explain,
  explainErrors,
  explainSimilarity,
  logitLens,
  mapTexts,
  probeLayers,
  render,
  tokenization,
  trainingCurves,
  type ExplainResult,
  type Explanation,
} from '../../src/explain/index.js';
import { loadEmbedder, loadModel } from '../../src/index.js';
import { suite } from '../support/suite.js';
import { chromium, closePages, drawnAttention, finish, folder, open } from './support/opened-pages.js';

const t = suite('pages of explanations');
const golden = (name: string): string => fileURLToPath(new URL(`../golden-explain/${name}`, import.meta.url));
const hostile = '</script><script>window.hacked = true</script><!-- <img src=x onerror="window.hacked=true"> ]]> \u2028 \ud800 \u202e';

t.after(closePages);

async function withModel<T>(name: string, use: (model: Awaited<ReturnType<typeof loadModel>>) => Promise<T>): Promise<T> {
  const model = await loadModel(golden(name));
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

async function withEmbedder<T>(use: (embedder: Awaited<ReturnType<typeof loadEmbedder>>) => Promise<T>): Promise<T> {
  const embedder = await loadEmbedder(golden('tiny/sentence-mean'));
  try {
    return await use(embedder);
  } finally {
    embedder.dispose();
  }
}

const planted = (): Promise<Explanation> =>
  withModel('planted', (model) => explain(model, 'gos zorn ros duk rim', { faithfulness: true, steps: 32 }));

t('a page has a policy of the hashes of its one script and its one style, and names no other file', async () => {
  const html = render(await planted(), 'html');
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)![1]!;
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const [, style] = /<style>([^]*?)<\/style>/.exec(html)!;
  const [, script] = /<script>([^]*?)<\/script>/.exec(html)!;
  assert.is(
    policy,
    `default-src 'none'; script-src ${hash(script!)}; style-src ${hash(style!)}; img-src data:; base-uri 'none'; form-action 'none'`,
  );
  assert.not.match(html, /<[^>]+\s(?:src|style|on\w+)=/);
  assert.ok(script!.length <= 45_000, String(script!.length));
});

t('attributions: the text by word and by token, the largest words, faithfulness; a word is chosen with arrow keys', async () => {
  if ((await chromium()) === undefined) return;
  const why = await planted();
  const opened = await open('attribution.html', render(why, 'html', { language: 'en' }), { colorScheme: 'dark' });
  const { page } = opened;
  assert.is(await page.locator('h1').textContent(), 'Why LABEL_1?');
  assert.is(await page.locator('section .unit').count(), 5 + 2);
  await page.locator('.unit').first().focus();
  await page.keyboard.press('ArrowRight');
  assert.match((await page.locator('[role=status]').textContent())!, /^zorn \+\d\.\d{3}/);
  assert.is(await page.locator('.unit[aria-pressed=true]').textContent(), 'zorn');
  assert.is(await page.locator('.bars tbody th').first().textContent(), 'zorn');
  assert.is(await page.locator('h2').nth(1).textContent(), 'Faithfulness');
  const facts = (await page.locator('.facts dd').allTextContents()).join(' ');
  assert.match(facts, /^planted integrated-gradients 32 pad /);
  assert.match((await page.locator('footer').textContent())!, /not the world.*bertha-encoder \d/);
  assert.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(18, 23, 30)');
  await finish(opened, 'attribution');
});

t('what was not read is grey, a window of a text has its own offsets, and words that a classifier counts stand apart', async () => {
  if ((await chromium()) === undefined) return;
  const why = await planted();
  const moved = <T extends { start: number; end: number }>(list: readonly T[]) =>
    list.map((each) => ({ ...each, start: each.start + 100, end: each.end + 100 }));
  const window = { ...why, text: `${why.text} and more`, start: 100, attributions: moved(why.attributions), tokens: moved(why.tokens) };
  const unread = [{ sequence: 0, start: why.text.length, end: why.text.length + 9 }];
  const features = [{ feature: 'zorn', weight: 1, coefficient: 2, value: 2 }];
  const opened = await open('window.html', render({ ...window, truncated: true, unread, features } as never, 'html', { language: 'en' }));
  const { page } = opened;
  assert.equal(await page.locator('.text .unit').allTextContents(), ['gos', 'zorn', 'ros', 'duk', 'rim']);
  assert.equal(await page.locator('.unread').allTextContents(), [' and more']);
  assert.ok((await page.locator('h2').allTextContents()).includes('Words that are counted'));
  await finish(opened, 'window');
});

t('attributions without a script are a table', async () => {
  if ((await chromium()) === undefined) return;
  const { page, complaints } = await open('plain.html', render(await planted(), 'html', { language: 'en' }), { javaScriptEnabled: false });
  assert.is(await page.locator('noscript h1').textContent(), 'Why LABEL_1?');
  assert.equal(await page.locator('noscript table:first-of-type tbody th').allTextContents(), ['gos', 'zorn', 'ros', 'duk', 'rim']);
  assert.equal(complaints, []);
  await page.close();
});

t('similarity in Chinese: a token shows what it meets in the other text', async () => {
  if ((await chromium()) === undefined) return;
  const why = await withEmbedder((embedder) =>
    explainSimilarity(embedder, '今天天气很好，我们去公园。', '公园里阳光明媚 <b>', { method: 'occlusion' }),
  );
  const opened = await open('similarity.html', render(why, 'html'), { locale: 'zh-CN' });
  const { page } = opened;
  assert.is(await page.evaluate('document.documentElement.lang'), 'zh');
  assert.match((await page.locator('h1').textContent())!, /^这两段文本为什么相似度为 \d+ %？$/);
  await page.locator('.chip').nth(1).click();
  assert.is(await page.locator('.chip[aria-pressed=true]').count(), 1);
  assert.match((await page.locator('section [role=status]').allTextContents()).at(-1)!, /→ .* [+−]\d\.\d{3}/);
  await finish(opened, 'similarity');
});

t('attention: heads by arrow keys, a token by a click, the rollout', async () => {
  if ((await chromium()) === undefined) return;
  const seen = await withModel('planted', (model) => attention(model, 'gos zorn ros duk'));
  const opened = await open('attention.html', render({ ...seen, rollout: attentionRollout(seen) }, 'html', { language: 'en' }));
  const { page } = opened;
  await page.locator('.head[aria-pressed=true]').waitFor();
  assert.is(await page.locator('.head').count(), seen.layers.length * seen.heads.length);
  await page.locator('.head').first().click();
  await page.locator('.head').first().focus();
  await page.keyboard.press('ArrowRight');
  assert.is(await page.locator('section h2').nth(1).textContent(), 'Layer 0, head 1');
  await page.locator('.tokens button').nth(2).click();
  const [count, row] = [seen.tokens.length, seen.weights[0]!.data];
  const written = await page.locator('.tokens > div .weight').allTextContents();
  const [, , third] = [0, 1, 2].map((i) => row.subarray((count + i) * count, (count + i + 1) * count));
  third!.forEach((weight, j) => {
    if (written[j] !== '') assert.ok(Math.abs(parseFloat(written[j]!) / 100 - weight) <= 0.0071, `${written[j]} for ${weight}`);
  });
  await page.locator('.choice button').first().click();
  assert.is(await page.locator('section h2').nth(1).textContent(), 'Rollout');
  await finish(opened, 'attention');
});

t('512 tokens of 144 heads are below 2 MB: pictures, the strongest of each row, and some heads in full', async () => {
  const drawn = drawnAttention(512, 12, 12);
  const html = render(drawn, 'html', { language: 'en' });
  assert.ok(html.length < 2_000_000, String(html.length));
  const data = JSON.parse(/id="data">([^]*?)<\/script>/.exec(html)![1]!) as {
    full: unknown[];
    whole?: string;
    strongest: { count: number };
  };
  assert.equal([data.whole, data.strongest.count, data.full.length >= 2], [undefined, 4, true], String(data.full.length));
  if ((await chromium()) === undefined) return;
  const opened = await open('large.html', html, { viewport: { width: 1100, height: 800 } });
  await opened.page.locator('.head[aria-pressed=true]').waitFor();
  assert.is(await opened.page.locator('.head').count(), 144);
  await opened.page.locator('.tokens button').nth(5).click();
  assert.match((await opened.page.locator('.heads ~ *, [role=status]').nth(1).textContent())!, /^token5 → token\d+ \d+ %/);
  await finish(opened, 'large');
});

t('the rollout by itself, and training curves of runs over each other', async () => {
  const seen = await withModel('planted', (model) => attention(model, 'gos zorn ros duk'));
  const { weights, layers, heads: _, kind: __, ...read } = seen;
  const rollout = attentionRollout({ weights, layers }, { residual: 0.25, reduce: 'max' });
  const alone = render({ ...read, rollout }, 'html', { language: 'en' });
  for (const run of ['first', 'second']) {
    mkdirSync(join(folder, 'runs', run), { recursive: true });
    const lines = Array.from({ length: 3000 }, (_unused, step) => {
      const loss = run === 'first' && step === 1500 ? 5 : 1 / (1 + step);
      return `${JSON.stringify({ step, loss: step === 3 ? null : loss, ...(step === 2999 && { eval_accuracy: 0.5 }) })}\n`;
    });
    writeFileSync(join(folder, 'runs', run, 'log.jsonl'), `${lines.join('')}${run === 'first' ? '{"cut' : ''}`);
  }
  const curves = await trainingCurves([join(folder, 'runs', 'first'), join(folder, 'runs', 'second')]);
  const html = render(curves, 'html', { language: 'en' });
  assert.not.match(html, folder.replaceAll('\\', '/'));
  const lines = render(curves, 'text', { colour: false, language: 'en' });
  assert.match(
    lines,
    /train\/loss\n {2}Run +Step +First +Last +Least +Largest\n {2}first +2999 +1 +0\.000333\d +0\.000333\d +5\n {2}second /,
  );
  assert.match(render(curves, 'svg'), /^<svg /);
  if ((await chromium()) === undefined) return;
  const one = await open('rollout.html', alone, {});
  await one.page.locator('.tokens button').nth(1).click();
  assert.is(await one.page.locator('section h2').textContent(), 'Rollout');
  assert.equal((await one.page.locator('.facts dd').allTextContents()).slice(-2), ['0.25', 'Largest']);
  const written = await one.page.locator('.tokens > div .weight').allTextContents();
  seen.tokens.forEach((_token, j) => {
    const weight = rollout.data[seen.tokens.length + j]!;
    if (written[j] !== '') assert.ok(Math.abs(parseFloat(written[j]!) / 100 - weight) <= 0.0071, `${written[j]} for ${weight}`);
  });
  await finish(one, 'rollout');
  const two = await open('training.html', html, { colorScheme: 'dark' });
  assert.equal(await two.page.locator('section h2').allTextContents(), ['train/loss', 'eval/accuracy']);
  assert.is(await two.page.locator('section svg .line-1').count(), 2 * 2);
  assert.match((await two.page.locator('.warning').textContent())!, /log\.jsonl.* in part/);
  await two.page.locator('summary').click();
  assert.is(await two.page.locator('details table').count(), 2);
  await finish(two, 'training');
});

t('the lens, probes, the check and tokens, right to left too', async () => {
  if ((await chromium()) === undefined) return;
  const lens = await withModel('tiny/bert-mlm', (model) => logitLens(model, 'Water [MASK] at 100 degrees.'));
  const opened = await open('lens.html', render(lens, 'html', { language: 'en' }));
  assert.is(await opened.page.locator('.lens tbody tr').count(), lens.masks[0]!.layers.length);
  assert.is(await opened.page.locator('.lens .final bdi').first().textContent(), lens.masks[0]!.final);
  await opened.page.locator('summary').click();
  assert.is(await opened.page.locator('details caption').textContent(), 'Mask at token 2');
  await finish(opened, 'lens');

  const texts = Array.from({ length: 24 }, (_, i) => `${i % 2 === 0 ? 'gos zorn' : 'duk rim'} ros ${i}`);
  const labels = texts.map((_, i) => (i % 2 === 0 ? 'even <i>' : 'odd'));
  const probed = await withModel('planted', (model) => probeLayers(model, texts, labels));
  const probes = await open('probe.html', render(probed, 'html', { language: 'zh' }));
  assert.is(await probes.page.locator('svg circle').count(), probed.layers.length);
  await finish(probes, 'probe');

  const checked = await withModel('planted', (model) => checkExplanation(model, 'gos zorn ros duk', { steps: 8 }));
  const check = await open('check.html', render(checked, 'html', { language: 'en' }));
  assert.is(await check.page.locator('.bars').count(), 2);
  await finish(check, 'check');

  const read = await withModel('tiny/bert-mlm', (model) => tokenization(model, ['שלום עולם, مرحبا', hostile]));
  const tokens = await open('tokens.html', render(read, 'html', { language: 'en' }));
  assert.is(await tokens.page.evaluate('getComputedStyle(document.querySelector(".text")).direction'), 'rtl');
  assert.is(await tokens.page.locator('.piece').count(), read.texts[0]!.tokens.length + read.texts[1]!.tokens.length);
  await finish(tokens, 'tokens');
});

t('maps: a group and a search filter the texts, and by UMAP they say so', async () => {
  if ((await chromium()) === undefined) return;
  const texts = ['bread', 'soup', 'apples', 'football', 'tennis', 'running'].flatMap((word) => [`I like ${word}.`, `A talk about ${word}`]);
  const map = await withEmbedder((embedder) => mapTexts(embedder, texts, { clusters: 2 }));
  const opened = await open('map.html', render(map, 'html', { language: 'en' }));
  const { page } = opened;
  await page.locator('.group').first().press('Enter');
  assert.is(await page.locator('.texts li').count(), map.groups[0]!.size);
  await page.locator('.group').first().press('Enter');
  await page.locator('#search').fill('SOUP');
  assert.equal(await page.locator('.texts li').allTextContents(), ['I like soup.', 'A talk about soup']);
  await page.locator('.tools button').first().click();
  await finish(opened, 'map');
  const drawn = await withEmbedder((embedder) => mapTexts(embedder, texts, { clusters: 2, method: 'umap', seed: 4 }));
  const other = await open('umap.html', render(drawn, 'html', { language: 'en' }), { colorScheme: 'dark' });
  assert.match((await other.page.locator('.facts').textContent())!, /Method ?UMAP ?Seed ?4/);
  assert.not.match((await other.page.locator('.facts').textContent())!, 'Variance');
  assert.match((await other.page.locator('footer').textContent())!, 'In UMAP the size of a group means nothing');
  await other.page.locator('.group').first().press('Enter');
  assert.is(await other.page.locator('.texts li').count(), drawn.groups[0]!.size);
  await finish(other, 'umap');
});

t('errors: a cell of the matrix filters the texts', async () => {
  if ((await chromium()) === undefined) return;
  const found = await withModel('planted', (model) =>
    explainErrors(model, ['gos zorn', 'ros zorn', 'duk rim', hostile], ['LABEL_1', 'LABEL_0', 'LABEL_0', 'LABEL_0']),
  );
  const opened = await open('errors.html', render(found, 'html', { language: 'en' }));
  const { page } = opened;
  await page.locator('.cell').nth(1).click();
  assert.is(await page.locator('.examples li').count(), found.confusion[0]![1]!);
  await finish(opened, 'errors');
});

t('texts with tags, quotes, halves of characters and overrides are shown and never run, in every field and format', async () => {
  const why = await planted();
  const { attributions, tokens } = why;
  const all = {
    ...why,
    text: hostile,
    target: { ...why.target, label: hostile },
    attributions: attributions.map((unit) => ({ ...unit, text: hostile, start: 0, end: hostile.length })),
    tokens: tokens.map((token) => ({ ...token, token: hostile })),
    baseline: hostile,
    warnings: [hostile],
    model: hostile,
  } as Explanation;
  const html = render(all, 'html', { language: 'en' });
  assert.is(html.match(/<script/g)!.length, 2);
  for (const format of ['text', 'svg'] as const) assert.not.match(render(all, format, { colour: false }), /[\ud800\u202e]/u);
  assert.is((JSON.parse(render(all, 'json')) as Explanation).text, hostile);
  if ((await chromium()) === undefined) return;
  const opened = await open('hostile.html', html);
  assert.is(await opened.page.evaluate('window.hacked'), undefined);
  assert.match((await opened.page.locator('h1').textContent())!, '</script><script>window.hacked = true</script>');
  assert.is(await opened.page.locator('img').count(), 0);
  await finish(opened, 'hostile');
});

t('pictures are XML with a title, without a script, of every kind', async () => {
  const seen = await withModel('planted', (model) => attention(model, 'gos zorn ros duk'));
  const results: readonly ExplainResult[] = [await planted(), seen, { ...seen, rollout: attentionRollout(seen) }];
  for (const [i, result] of results.entries()) {
    const svg = render(result, 'svg', { language: i === 0 ? 'zh' : 'en' });
    assert.match(svg, /^<svg [^>]*role="img"/);
    assert.match(svg, /<title>[^<]+<\/title><desc>[^<]+<\/desc>/);
    assert.not.match(svg, /<script|<style|class="/);
    if ((await chromium()) === undefined) continue;
    const { page, complaints } = await open(`picture-${i}.svg`, svg);
    assert.equal([await page.evaluate('document.documentElement.tagName'), complaints], ['svg', []]);
    await page.close();
  }
});

t('lines for a terminal: sign and size under each word, wide characters two columns, colours by depth', async () => {
  const why = await planted();
  const units = ['今天', '好'].map((text, i) => ({ text, start: 3 * i, end: 3 * i + text.length, sequence: 0, value: i === 0 ? 1 : -0.5 }));
  const lines = render({ ...why, attributions: units, faithfulness: undefined } as unknown as Explanation, 'text', {
    colour: false,
    language: 'en',
  });
  assert.match(lines, '今天 好\n+▇   -▃\n');
  const opening = (colour: 'true' | 256 | 16): string => render(why, 'text', { colour }).split('zorn')[0]!.split('\u001b').at(-1)!;
  assert.equal([opening('true'), opening(256), opening(16)], ['[38;2;224;123;41m', '[38;5;172m', '[33m']);
});

t('refuses what is no result, and options that it does not have', () => {
  assert.throws(() => render({} as ExplainResult, 'html'), /INVALID_ARG|a result of bertha-encoder\/explain/);
  assert.throws(() => render({} as ExplainResult, 'pdf' as 'html'), /html/);
  assert.throws(() => render({} as ExplainResult, 'text', { language: 'fr' as 'en' }), /language/);
});

t.run();
