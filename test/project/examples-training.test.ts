import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

// Examples as a user runs them, against the built package: on tiny models, whose answers mean nothing; with BERTHA_TEST_FULL=1 on the bundled one too.
const t = suite('examples of training');
const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);
const tried = new Set<string>();
const kFull = process.env['BERTHA_TEST_FULL'] === '1';

async function run(name: string, ...args: string[]): Promise<string> {
  assert.ok(existsSync(`${root}dist/training/index.js`), 'dist/ is missing: npm run build');
  const { stdout, stderr } = await execute(process.execPath, [`examples/training/${name}`, ...args], { cwd: root, encoding: 'utf8' });
  assert.is(stderr, '');
  return stdout;
}

const score = String.raw`-?\d\.\d\d`;
interface Example {
  /** The tiny model to run on; none: the program makes a small model itself. */
  readonly tiny?: string;
  /** Arguments by which it is done in seconds. */
  readonly args?: readonly string[];
  /** What it prints on any model. */
  readonly prints: RegExp;
  /** What it prints on the bundled model. */
  readonly says?: RegExp;
}

const examples: Readonly<Record<string, Example>> = {
  'sentence-pairs.mjs': {
    tiny: 'bert-base-noprefix',
    prints: /^the right answer is nearest to \d+ % of the questions it learned from\n$/,
  },
  'cross-lingual.mjs': {
    tiny: 'bert-base-noprefix',
    prints: /^the English of a new sentence is found for \d+ % before, \d+ % after\n$/,
    says: /before, ([6-9]\d|100) % after/,
  },
  'classify.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^loss ${score} on average\n((positive|negative) ${score} .*\n){2}$`),
    says: /positive .* lovely.*\nnegative .* asleep/,
  },
  'augment.mjs': {
    tiny: 'bert-mlm',
    prints: new RegExp(String.raw`^(.+ -> .+\n){3}((positive|negative) ${score} .*\n){2}$`),
    says: /positive .* lovely.*\nnegative .* asleep/,
  },
  'regression.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^pearson ${score}, mean error ${score} stars .*\n(-?\d\.\d .*\n){3}$`),
    says: /^pearson 0\.9/,
  },
  'multi-label.mjs': {
    tiny: 'bert-base-noprefix',
    prints: /^(.+: .*\n){3}$/,
    says: /^sport, money: .*\nhealth: /,
  },
  'ner.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(`^f1 of entities ${score} on`),
    says: /PER clara jensen .*\n.*ORG redwood airways .*\nLOC rome/,
  },
  'multi-task.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^accuracy ${score} and f1 of entities ${score} on the rows .*\n(positive|negative)\n`),
    says: /\npositive\n.*PER clara jensen/,
  },
  'qa.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^exact match ${score}, f1 ${score} on .*\nWho was the engineer\? `),
    says: /engineer\? Martha Quill/,
  },
  'multiple-choice.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^accuracy ${score} on .*\n${score} an? \w+\n$`),
    says: /umbrella/,
  },
  'next-sentence.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^accuracy ${score} on the 48 pairs .*\n(${score} .*\n){2}$`),
  },
  'fill-mask.mjs': { tiny: 'bert-mlm', prints: new RegExp(String.raw`^perplexity [\d.]+ on .*\n(\S+ ${score}(, )?){3}\n$`) },
  'replaced-tokens.mjs': {
    tiny: 'electra-discriminator',
    prints: new RegExp(String.raw`^accuracy ${score}, f1 ${score} on .*\n(${score} \S+\n){8,}$`),
  },
  'cross-encoder.mjs': {
    tiny: 'bert-base-noprefix',
    prints: new RegExp(String.raw`^pearson ${score}, spearman ${score} on .*\n(${score} .*\n){3}$`),
    says: /pearson 0\.9/,
  },
  'lora.mjs': { tiny: 'bert-base-noprefix', prints: /^\S+ (0\.\d{4}) while .* \d+ kB\n\S+ \1 from the base/ },
  'resume.mjs': {
    tiny: 'bert-base-noprefix',
    prints: /^epoch 1: .*\nepoch 2: .*\ninterrupted, with .*checkpoint-4\nepoch 3: [^]*f1 \d\.\d\d of the best model\n$/,
  },
  'dates.mjs': {
    args: ['--updates', '4'],
    prints:
      /^\d+ updates in \d+ s: \d+\.\d % of 500 unseen dates are right\n\n.* → .*\n\n {4}·Tuesday, March 3rd, 1992·\n( {2}. [ ░▒▓█]{26}\n)*$/,
    says: /^400 updates .* (99\.\d|100\.0) %/,
  },
  'translate.mjs': {
    prints: /^BLEU (100\.0|[6-9]\d\.\d), chrF [\d.]+, \d+ of 20 new sentences to the letter\n(.* → .*\n){3}$/,
  },
  'chinese-classifier.mjs': {
    prints: new RegExp(
      String.raw`^\[CLS\] 味 道 很 好 .*\n101 1456 .* 102\naccuracy (0\.[5-9]|1\.0)\d, .* on 8 reviews .*\n好评 ${score} .*\n差评 ${score} .*\n$`,
    ),
  },
};

for (const [name, { tiny, args = [], prints, says }] of Object.entries(examples)) {
  t(`${name} trains and prints what came of it`, async () => {
    tried.add(name);
    assert.match(await run(name, ...args, ...(tiny === undefined ? [] : ['--model', golden('tiny', tiny)])), prints);
    if (!kFull || (tiny === undefined && args.length === 0)) return;
    const output = await run(name);
    assert.match(output, prints);
    if (says !== undefined) assert.match(output, says);
  });
}

t('leaves no example untried', () => {
  const programs = readdirSync(`${root}examples/training`).filter((name) => name.endsWith('.mjs'));
  assert.equal(programs.sort(), [...tried].sort());
});

t.run();
