// `npm run bench:pages`: when Chromium paints each kind of page first, the median of five tabs, from files; exit code 1 where it takes a second or longer.
// The largest page is of 512 tokens, 12 layers and 12 heads. Needs `npm ci --prefix test/adapters`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  attentionRollout,
  checkExplanation,
  explainErrors,
  logitLens,
  probeLayers,
  render,
  tokenization,
  type ExplainResult,
} from '../../src/explain/index.js';
import { loadModel, type Model } from '../../src/index.js';
import { drawnAttention } from '../../test/explain/support/opened-pages.js';
import { openChromium } from '../../test/support/chromium.js';
import { attribution, heads, map, similarity } from './results.js';
import { topics } from './topics.js';

const kTabs = 5;
const kMostMs = 1000;
const golden = (name: string): string => fileURLToPath(new URL(`../../test/golden-explain/${name}`, import.meta.url));
const [subjects, texts] = [Object.entries(topics).flatMap(([name, own]) => own.map(() => name)), Object.values(topics).flat()];

async function withModel<T>(directory: string | undefined, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(directory, directory === undefined ? { task: 'text-classification' } : undefined);
  return use(model).finally(() => model.dispose());
}

const pages: Readonly<Record<string, () => Promise<ExplainResult>>> = {
  attribution,
  similarity,
  attention: heads,
  'attention of 512 tokens, 144 heads': () => Promise.resolve(drawnAttention(512, 12, 12)),
  rollout: async () => {
    const { tokens, text, truncated, model, weights, layers } = await heads();
    return { tokens, text, truncated, model, rollout: attentionRollout({ weights, layers }) };
  },
  lens: () => withModel(golden('tiny/bert-mlm'), (model) => logitLens(model, 'Water [MASK] at 100 degrees.')),
  probe: () => withModel(undefined, (model) => probeLayers(model, texts, subjects)),
  map,
  errors: () =>
    withModel(undefined, (model) => {
      const [label] = model.config.id2label;
      return explainErrors(
        model,
        texts,
        texts.map(() => label!),
        { worst: 5 },
      );
    }),
  check: () => withModel(golden('planted'), (model) => checkExplanation(model, 'gos zorn ros duk')),
  tokens: () => withModel(undefined, (model) => tokenization(model, texts)),
  training: () =>
    Promise.resolve({
      curves: ['first', 'second'].map((run, i) => {
        const steps = Array.from({ length: 20_000 }, (_, step) => step);
        return { run, name: 'train/loss', steps, values: steps.map((step) => 1 / (1 + step / (100 + 50 * i))) };
      }),
      warnings: [],
    }),
};

const browser = await openChromium((what) => process.stderr.write(`${what}\n`));
if (browser === undefined) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'bertha-paint-'));
for (const [name, result] of Object.entries(pages)) {
  const html = render(await result(), 'html', { language: 'en' });
  const file = join(folder, 'page.html');
  writeFileSync(file, html);
  const times: number[] = [];
  for (let tab = 0; tab < kTabs; tab++) {
    const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
    await page.goto(pathToFileURL(file).href);
    times.push(
      await page.evaluate<number>(`new Promise((done) => {
        const look = () => {
          const [paint] = performance.getEntriesByName('first-contentful-paint');
          if (paint === undefined) setTimeout(look, 5);
          else done(paint.startTime);
        };
        look();
      })`),
    );
    await page.close();
  }
  const sorted = times.sort((a, b) => a - b);
  const [median, slowest] = [sorted[kTabs >> 1]!, sorted.at(-1)!].map(Math.round) as [number, number];
  if (median >= kMostMs) process.exitCode = 1;
  process.stdout.write(
    `${median < kMostMs ? 'ok    ' : 'FAILED'} ${name}: ${median} ms, at most ${slowest} ms; ${html.length} characters\n`,
  );
}
await browser.close();
rmSync(folder, { recursive: true, force: true });
