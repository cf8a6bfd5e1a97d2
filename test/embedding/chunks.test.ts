import * as assert from 'uvu/assert';
import { bestCut, isWordStart } from '../../src/embedding/chunks/boundaries.js';
import { boundaryKinds, type Boundary } from '../../src/embedding/schemas.js';
import type { BerthaError } from '../../src/errors.js';
import { chunkText, loadModel, loadTokenizer, type Chunk } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';
import { Random, randomText } from '../support/tokenizer-strings.js';

const t = suite('chunks');
const tokenizer = await loadTokenizer();
const count = (text: string) => tokenizer.encode(text, { truncation: false }).length;
const texts = (chunks: readonly Chunk[]) => chunks.map(({ text }) => text);

const markdown = `# One

The first paragraph has two sentences. This is the second of them.

It goes on here, in a paragraph of its own, which is a little longer than the one before it was.

## Two

Short. Very short. And a third sentence that ends the whole document, at last.
`;

/** Every chunk fits when it is read again alone; offsets are those of the text; every token of the text is in some chunk. */
async function check(text: string, maxTokens: number, overlap = 0): Promise<Chunk[]> {
  const chunks = await chunkText(tokenizer, text, { maxTokens, overlap });
  const covered = new Uint8Array(text.length);
  let before = { start: -1, end: -1 };
  for (const chunk of chunks) {
    assert.is(chunk.text, text.slice(chunk.start, chunk.end));
    assert.is(count(chunk.text), chunk.tokens);
    assert.ok(chunk.tokens <= maxTokens, `${chunk.tokens} tokens in ${JSON.stringify(chunk.text)}`);
    assert.ok(chunk.start > before.start && chunk.end > before.end, 'chunks go on');
    covered.fill(1, chunk.start, chunk.end);
    before = chunk;
  }
  const { offsets, length } = tokenizer.encode(text, { addSpecialTokens: false, offsets: true, truncation: false });
  for (let i = 0; i < length; i++) for (let at = offsets![2 * i]!; at < offsets![2 * i + 1]!; at++) assert.ok(covered[at], `unit ${at}`);
  return chunks;
}

t('end at sentences where sentences fit', async () => {
  const sentences = [
    'He came home late.',
    'The dog barked at him, as it always did!',
    'Why?',
    'Nobody knew, and nobody asked.',
    'So it went on.',
  ];
  for (const limit of [16, 20, 24]) {
    const chunks = await check(sentences.join(' '), limit);
    const ends = chunks.map(({ text }) => sentences.some((sentence) => text.endsWith(sentence)));
    assert.ok(ends.every(Boolean), JSON.stringify(texts(chunks)));
    assert.ok(chunks.length > 1);
  }
});

t('begin at headings and paragraphs of Markdown; a heading stays with what follows it', async () => {
  for (let limit = 10; limit < 80; limit++) {
    for (const { text } of await check(markdown, limit)) assert.not.match(text, /(^|\n)#+ \w+\s*$/, `limit ${limit}`);
  }
  assert.equal(
    texts(await check(markdown, 60)).map((text) => text.split('\n')[0]),
    ['# One', '## Two'],
  );
});

t('cut between words where a sentence is too long, and inside a word only if it alone is longer', async () => {
  const sentence = 'this sentence has no end and goes on and on and on and on and on '.repeat(4).trim();
  for (const { start, end } of await check(sentence, 9)) {
    assert.ok(start === 0 || sentence[start - 1] === ' ');
    assert.ok(end === sentence.length || sentence[end] === ' ');
  }
  const word = 'xylophonequixoticbazaarjukebox'.repeat(3);
  const chunks = await check(`a ${word} b`, 8);
  assert.is(
    chunks
      .map(({ text }) => text)
      .join('')
      .replaceAll(/\s/g, ''),
    `a${word}b`,
  );
  for (const { text } of await check('你好世界我们在这里说话然后回家', 6)) assert.ok([...text].length >= 1);
});

t('share whole words at the end of one and the beginning of the next', async () => {
  const text = Array.from({ length: 60 }, (_, i) => `word${i % 7} and`).join(' ');
  const chunks = await check(text, 16, 5);
  for (const [i, { start }] of chunks.entries()) {
    if (i === 0) continue;
    assert.ok(start < chunks[i - 1]!.end, 'something is shared');
    assert.ok(text[start - 1] === ' ');
    assert.ok(count(text.slice(start, chunks[i - 1]!.end)) - 2 <= 5);
  }
});

t('hold for any text, limit and overlap', async () => {
  const random = new Random(3);
  const phrases = [
    'Hello there. ',
    'unbelievably ',
    '\n\n',
    '# Title\n',
    '日本語',
    '🚀👨\u200d👩\u200d👧',
    'e\u0301\u0301',
    "don't ",
    '... ',
    'İ',
    '\u00ad',
    '[SEP] ',
  ];
  for (let round = 0; round < 150; round++) {
    const text = randomText(random, 60, phrases);
    const limit = 5 + random.below(40);
    await check(text, limit, random.below(Math.min(6, limit - 3)));
  }
});

t('cut only where the kinds of boundaries that are wanted are', () => {
  const cut = (...kinds: Boundary[]) => markdown.slice(0, bestCut(markdown, 0, 100, new Set(kinds)));
  assert.match(cut(...boundaryKinds), /second of them\.\s+$/);
  assert.match(cut('word'), /\s$/);
  assert.match(cut('sentence'), /\n$/);
  assert.is(cut().length, 100);
});

t('end where a walk over all segments would end them, in any script', () => {
  const segmenters = (['sentence', 'word', 'grapheme'] as const).map((granularity) => new Intl.Segmenter(undefined, { granularity }));
  const lastOf = (segmenter: Intl.Segmenter, text: string, accept: (at: number) => boolean): number => {
    const starts = [...segmenter.segment(text)].map(({ index }) => index).filter((at) => at > 0 && accept(at));
    return starts.at(-1) ?? -1;
  };
  const random = new Random(41);
  const pieces = [
    'Dr. Smith went. ',
    'U.S.A. is 3.14 big! ',
    '“Quoted.” he said. ',
    '東京は日本の首都です。',
    'ภาษาไทยไม่มีช่องว่าง',
    '👩‍👩‍👧',
    'e\u0301',
    'a.b.C ',
  ];
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: random.below(30) + 2 }, () => random.pick(pieces)).join('');
    const [sentence, word, character] = segmenters.map((segmenter, k) => lastOf(segmenter, text, (at) => k !== 1 || isWordStart(text, at)));
    const cut = (...kinds: Boundary[]) => bestCut(text, 0, text.length, new Set(kinds));
    assert.is(cut('sentence'), sentence! > 0 ? sentence : character);
    assert.is(cut('word'), word! > 0 ? word : character);
  }
});

t('leave room for the prompt of the model, and refuse what leaves no room', async () => {
  const model = await loadModel(golden('sentence/prompts'));
  const text = 'she bought three and two and a of for bread . '.repeat(20);
  for (const { tokens } of await chunkText(model, text, { maxTokens: 20 })) assert.ok(tokens <= 20);
  const code = async (options: object) =>
    chunkText(model, text, options).then(
      () => 'none',
      (error: BerthaError) => error.code,
    );
  assert.is(await code({ maxTokens: 2 }), 'MAX_LENGTH');
  assert.is(await code({ maxTokens: 12, overlap: 12 }), 'MAX_LENGTH');
  assert.is(await code({ boundaries: ['line'] }), 'INVALID_OPTION');
  assert.is(await code({ boundaries: 'word' }), 'INVALID_OPTION');
  model.dispose();
});

t('of a long text are cut in many turns', async () => {
  const text = `${'The cat sat on the mat, and was happy. '.repeat(40)}\n\n`.repeat(100);
  let turns = 0;
  let isDone = false;
  const counting = (): void => void (isDone || (turns++, setImmediate(counting)));
  setImmediate(counting);
  const chunks = await chunkText(tokenizer, text, { maxTokens: 64 });
  isDone = true;
  assert.ok(chunks.length > 500 && turns > 5, `${chunks.length} chunks, ${turns} turns`);
});

t.run();
