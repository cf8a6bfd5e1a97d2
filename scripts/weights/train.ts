// Trains the heads of the bundled model: npm run weights:train -- [HEAD...] [--full] [--check] [--threads N] [--work DIR]
// The data lies in the shared folder (BERTHA_SHARED, ../shared). A run that was stopped goes on from its last checkpoint in --work (build/weights); a head that
// is trained there is not trained again. What is below its floor, or below 95 % of full fine-tuning, is not written into weights/.
// --full trains all weights on the same rows, for comparison, and keeps the score alone. --check computes the scores of the bundled heads again and compares them
// with weights/scores.json.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isBundledTask, loadModel, type Model } from '../../src/models/index.js';
import { install } from './install.js';
import { recipes } from './recipes/index.js';
import type { Recipe } from './recipe.js';
import { readScores, writeScores, type HeadScores, type Scores } from './scores.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const weights = join(root, 'weights');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    threads: { type: 'string' },
    work: { type: 'string', default: join(root, 'build', 'weights') },
  },
});
const shared = resolve(root, process.env['BERTHA_SHARED'] ?? '../shared');
/** Scores depend on the instruction set in their last digits. */
const kTolerance = 2e-3;

/** The shares of full fine-tuning and floors that a head must reach. */
const kShareOfFull = 0.95;

for (const name of positionals.length === 0 ? Object.keys(recipes) : positionals) {
  const recipe = recipes[name];
  if (recipe === undefined) throw new Error(`Expected one of ${Object.keys(recipes).join(', ')} but received ${name}.`);
  const missing = recipe.sources.find(({ file }) => !existsSync(join(shared, file)));
  if (missing !== undefined) {
    console.log(`skipped ${name}: no ${missing.file} in ${shared}`);
    continue;
  }
  if (values.check) await check(name, recipe);
  else await make(name, recipe, values.full);
}

/** Trains a head and puts it where it is loaded from; or, `full`, all weights, for the score. */
async function make(name: string, recipe: Recipe, full: boolean): Promise<void> {
  const outputDir = join(values.work, full ? `${name}-full` : name);
  const trained = join(outputDir, full ? 'model.safetensors' : 'adapter_model.safetensors');
  const began = performance.now();
  if (!existsSync(trained)) {
    const begun = existsSync(outputDir) && readdirSync(outputDir).some((entry) => entry.startsWith('checkpoint-'));
    const metrics = await recipe.train(shared, {
      outputDir,
      resumeFromCheckpoint: begun,
      ...(full ? { learningRate: recipe.fullLearningRate } : { learningRate: recipe.learningRate, lora: { ...recipe.lora } }),
      ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
    });
    console.log(
      `${name}${full ? ', all weights' : ''}: trained in ${((performance.now() - began) / 1000).toFixed(0)} s, ${JSON.stringify(metrics)}`,
    );
  }
  const scores = await scoresOf(recipe, outputDir, () => (full ? loadModel(outputDir) : loadModel(undefined, { adapter: outputDir })));
  const known = readScores(weights);
  const measured = { ...known[name], floors: recipe.floors, ...(full ? { full: scores } : { adapter: scores }) };
  const reason = whyNot(measured);
  const head: HeadScores = { ...measured, bundled: reason === undefined };
  console.log(`${name}: ${JSON.stringify(head)}`);
  writeScores(weights, { ...known, [name]: head });
  if (reason !== undefined) {
    console.log(`${name} is not put into weights/: ${reason}`);
    process.exitCode = 1;
  } else if (!full) install(weights, name, recipe, outputDir, head);
}

/** Why a head is not good enough to be shipped. */
function whyNot({ adapter = {}, full = {}, floors }: Omit<HeadScores, 'bundled'>): string | undefined {
  for (const [metric, floor] of Object.entries(floors)) {
    const score = adapter[metric] ?? Number.NaN;
    if (!(score >= floor)) return `${metric} ${score.toFixed(3)} is below the floor, ${floor}`;
    const share = kShareOfFull * (full[metric] ?? 0);
    if (score < share) return `${metric} ${score.toFixed(3)} is below 95 % of full fine-tuning, ${share.toFixed(3)}`;
  }
  return undefined;
}

async function check(name: string, recipe: Recipe): Promise<void> {
  const { adapter: stored, bundled } = readScores(weights)[name] ?? {};
  const task = recipe.tasks.find(isBundledTask);
  if (stored === undefined || task === undefined || bundled !== true) return console.log(`${name}: not bundled`);
  const scores = await scoresOf(recipe, join(values.work, name), () => loadModel(undefined, { task }));
  const wrong = Object.entries(stored).filter(([metric, score]) => !(Math.abs(scores[metric]! - score) <= kTolerance));
  console.log(`${name}: ${JSON.stringify(scores)}, stored ${JSON.stringify(stored)}: ${wrong.length === 0 ? 'equal' : 'DIFFERENT'}`);
  if (wrong.length > 0) process.exitCode = 1;
}

async function scoresOf(recipe: Recipe, work: string, load: () => Promise<Model>): Promise<Scores> {
  const model = await load();
  try {
    return await recipe.score(shared, model, work);
  } finally {
    model.dispose();
  }
}
