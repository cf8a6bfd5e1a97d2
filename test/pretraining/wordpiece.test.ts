import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { trainWordPiece, type TrainWordPieceOptions, type TextSource, type WordPieceProgress } from '../../src/pretraining/index.js';
import { loadTokenizer } from '../../src/index.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import { cliProgram } from '../support/cli.js';
import { rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { makeOracle } from '../support/tokenizer-oracle.js';
import { measureTurns } from '../support/turns.js';

const t = suite('wordpiece');

interface Case {
  readonly settings: {
    readonly lowercase?: boolean;
    readonly strip_accents?: boolean;
    readonly handle_chinese_chars?: boolean;
    readonly train: Readonly<Record<string, number | readonly string[]>>;
  };
  readonly vocabulary: readonly string[];
}

const text = fileURLToPath(goldenTraining('wordpiece/text.txt'));
const golden = JSON.parse(readFileSync(goldenTraining('wordpiece/vocabularies.json'), 'utf8')) as {
  readonly words: number;
  readonly cases: readonly Case[];
};
const folder = temporaryFolder();

function optionsOf({
  train,
  lowercase,
  strip_accents: stripAccents,
  handle_chinese_chars: handleChineseChars,
}: Case['settings']): TrainWordPieceOptions {
  const inCamelCase = Object.entries(train).map(([name, value]) => [name.replace(/_(.)/g, (_, c: string) => c.toUpperCase()), value]);
  return { ...(Object.fromEntries(inCamelCase) as TrainWordPieceOptions), lowercase, stripAccents, handleChineseChars };
}

for (const [index, { settings, vocabulary }] of golden.cases.entries()) {
  t(`the vocabulary equals the reference rule's: case ${index}`, async () => {
    const { tokens } = await trainWordPiece(text, optionsOf(settings));
    assert.equal(tokens, vocabulary, JSON.stringify(settings));
  });
}

t('texts of an iterable give what the lines of a file give', async () => {
  const lines = readFileSync(text, 'utf8').split('\n');
  const { tokens, words } = await trainWordPiece(lines.values(), { vocabSize: 300 });
  assert.equal(tokens, (await trainWordPiece([text], { vocabSize: 300 })).tokens);
  assert.is(words.different, golden.words);
  async function* later() {
    yield* lines;
  }
  assert.equal(tokens, (await trainWordPiece(later(), { vocabSize: 300 })).tokens);
});

t('the files load here and in the Rust library, with equal ids', async () => {
  const learned = await trainWordPiece(text, {
    vocabSize: 260,
    lowercase: false,
    specialTokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '[X]'],
  });
  assert.is((await rejection(() => learned.save(text))).code, 'IO');
  await learned.save(folder);
  const own = await loadTokenizer(folder);
  const rust = makeOracle(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
  for (const line of [...readFileSync(text, 'utf8').split('\n').slice(0, 60), 'Übergröße [MASK] naïve [X]', '北京 abc']) {
    const ids = [...own.encode(line).ids];
    assert.equal(ids, (await rust.encode(line)).getIds(), line);
    assert.equal([...learned.tokenizer().encode(line).ids], ids, line);
  }
  assert.equal(readFileSync(join(folder, 'vocab.txt'), 'utf8'), learned.tokens.map((token) => `${token}\n`).join(''));
});

t('tells how far it is', async () => {
  const seen: WordPieceProgress[] = [];
  await trainWordPiece(text, { vocabSize: 200, onProgress: (progress) => seen.push(progress) });
  const bytes = readFileSync(text).byteLength;
  assert.equal(seen.filter(({ phase }) => phase === 'count').at(-1), { phase: 'count', done: bytes, total: bytes });
  assert.equal(seen.at(-1), { phase: 'merge', done: 200, total: 200 });
});

t('invalid UTF-8, a byte order mark, CRLF and characters beyond U+FFFF are text like any other', async () => {
  const file = join(folder, 'odd.txt');
  writeFileSync(file, Buffer.concat([Buffer.from('\ufeffplain text\r\nplain 😀😀 text\r\n'), Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a])]));
  const { tokens } = await trainWordPiece(file, { minFrequency: 1 });
  assert.ok(tokens.includes('plain') && tokens.includes('😀😀'), tokens.join(' '));
  assert.not.ok(tokens.some((token) => token.includes('\ufeff') || token.includes('\r')));
});

t('a line of a megabyte is read in slices of the event loop', async () => {
  const { turns } = await measureTurns(() => trainWordPiece(['word play '.repeat(1 << 17)].values(), { vocabSize: 100 }));
  assert.ok(turns > 3, `${turns}`);
});

t('bertha vocab writes a tokenizer, and says what it learned', async () => {
  const output = join(folder, 'from-cli');
  const { stdout } = await promisify(execFile)(process.execPath, [cliProgram, 'vocab', text, '--output', output, '--vocab-size', '200']);
  assert.match(stdout, /200 tokens from \d+ words, \d+ different ones/);
  assert.equal(readFileSync(join(output, 'vocab.txt'), 'utf8').trimEnd().split('\n'), golden.cases[0]!.vocabulary);
});

t('says what is wrong', async () => {
  const refuses = async (code: string, message: RegExp, source: TextSource, options?: TrainWordPieceOptions): Promise<void> => {
    const error = await rejection(() => trainWordPiece(source, options));
    assert.is(error.code, code);
    assert.match(error.message, message);
  };
  await refuses('INVALID_OPTION', /at least \d+ for vocabSize/, text, { vocabSize: 40 });
  await refuses('INVALID_OPTION', /\[UNK\], \[SEP\], \[MASK\]/, text, { specialTokens: ['[PAD]', '[CLS]'] });
  await refuses('INVALID_OPTION', /vocabSize/, text, { vocabsize: 5 } as TrainWordPieceOptions);
  await refuses('IO', /nothing\.txt/, join(folder, 'nothing.txt'));
  await refuses('IO', /directory/, folder);
  await refuses('EMPTY_INPUT', /words/, ['   ', '\n'].values());
  await refuses('INVALID_ARG', /a file, an array of files or an iterable/, 3 as unknown as string);
  await refuses('INVALID_ARG', /texts\.values\(\)/, [3 as unknown as string]);
  await refuses('INVALID_ARG', /text 0/, new Set([3 as unknown as string]));
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  assert.is(await trainWordPiece(text, { signal }).catch((error: unknown) => error), reason);
});

t.run();
