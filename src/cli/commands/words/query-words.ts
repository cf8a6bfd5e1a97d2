import { statSync } from 'node:fs';
import { replaceFile } from '../../../checkpoint/replace-file.js';
import { unexpected } from '../../../expected.js';
import {
  type AnalogyScores,
  type KeyedVectors,
  type LoadedFormat,
  loadWordVectors,
  type SavedFormat,
  type SimilarWord,
  type WordPairScores,
} from '../../../word-vectors/index.js';
import { table } from '../../terminal/table.js';
import { shorten } from '../../terminal/width.js';
import { readWordList } from './word-list.js';

/** The flags of every `bertha vectors …`, as commander hands them over. */
export interface QueryFlags {
  readonly format?: LoadedFormat;
  readonly header?: boolean;
  readonly limit?: number;
  readonly vocabulary?: string;
  readonly threads?: number;
  readonly negative?: readonly string[];
  readonly topN?: number;
  readonly restrictVocab?: number;
  readonly json?: boolean;
}

/** Those of `eval`. */
export interface EvalFlags extends QueryFlags {
  readonly pairs?: string;
  readonly analogies?: string;
  readonly caseSensitive?: boolean;
  readonly zeroForUnknown?: boolean;
}

/** Those of `convert`. */
export interface ConvertFlags extends QueryFlags {
  readonly to?: SavedFormat;
  readonly quantize?: 'int8' | 'binary';
}

/** Those of `plot`. */
export interface PlotFlags extends QueryFlags {
  readonly output: string;
  readonly words?: string;
  readonly title?: string;
}

const kWordColumns = 40;
const kPlottedWords = 200;

/** The words nearest to a sum of words. */
export async function similar(file: string, words: readonly string[], flags: QueryFlags): Promise<void> {
  const { topN, restrictVocab, negative } = flags;
  const kv = await load(file, flags);
  writeWords(await kv.mostSimilar({ positive: words, negative, topN, restrictVocab }), flags);
}

/** What is to `c` as `b` is to `a`. */
export async function analogy(file: string, [a, b, c]: readonly [string, string, string], flags: QueryFlags): Promise<void> {
  const { topN, restrictVocab } = flags;
  writeWords(await (await load(file, flags)).analogy(a, b, c, { topN, restrictVocab }), flags);
}

/** Which word does not match the others. */
export async function odd(file: string, words: readonly string[], flags: QueryFlags): Promise<void> {
  const word = (await load(file, flags)).doesntMatch(words);
  process.stdout.write(`${flags.json === true ? JSON.stringify({ word }) : word}\n`);
}

/** How similar two words are. */
export async function similarityOf(file: string, a: string, b: string, flags: QueryFlags): Promise<void> {
  const similarity = (await load(file, flags)).similarity(a, b);
  process.stdout.write(`${flags.json === true ? JSON.stringify({ a, b, similarity }) : similarity.toFixed(4)}\n`);
}

/** Scores against people's judgements. */
export async function evaluate(file: string, flags: EvalFlags): Promise<void> {
  const { pairs, analogies, restrictVocab, caseSensitive = false, zeroForUnknown } = flags;
  if (pairs === undefined && analogies === undefined) throw unexpected('USAGE', '--pairs or --analogies', 'neither');
  const kv = await load(file, flags);
  const options = { restrictVocab, caseInsensitive: !caseSensitive, zeroForUnknown };
  const scores = {
    ...(pairs === undefined ? {} : { pairs: await kv.evaluateWordPairs(pairs, options) }),
    ...(analogies === undefined ? {} : { analogies: await kv.evaluateWordAnalogies(analogies, options) }),
  };
  if (flags.json === true) process.stdout.write(`${JSON.stringify(scores)}\n`);
  else process.stdout.write(pairText(scores.pairs) + analogyText(scores.analogies));
}

function pairText(scores: WordPairScores | undefined): string {
  if (scores === undefined) return '';
  const { spearman, pearson, pairs, outOfVocabularyPercent: unknown } = scores;
  return `Spearman ${spearman.toFixed(4)}, Pearson ${pearson.toFixed(4)} over ${pairs} pairs; ${unknown.toFixed(1)} % have unknown words\n`;
}

function analogyText(scores: AnalogyScores | undefined): string {
  if (scores === undefined) return '';
  const columns = [
    { name: 'section', width: kWordColumns },
    ...['right', 'of', 'percent'].map((name) => ({ name, width: 8, align: 'right' as const })),
  ];
  const rows = scores.sections.map(({ section, correct, incorrect }) => {
    const all = correct.length + incorrect.length;
    const percent = all === 0 ? '' : ((100 * correct.length) / all).toFixed(1);
    return [shorten(section, kWordColumns), String(correct.length), String(all), percent];
  });
  return `${table(columns, rows, { header: true })}${scores.outOfVocabularyPercent.toFixed(1)} % of the questions have unknown words\n`;
}

/** What a file holds. */
export async function info(file: string, flags: QueryFlags): Promise<void> {
  const warnings: string[] = [];
  const kv = await load(file, flags, warnings);
  const { size, dimensions, bytes, hasSubwords } = kv;
  const first = kv.words(0, 10);
  const found = { words: size, dimensions, fileBytes: statSync(file).size, memoryBytes: bytes, subwords: hasSubwords, first, warnings };
  if (flags.json === true) return void process.stdout.write(`${JSON.stringify(found)}\n`);
  const lines = [
    `${size} words of ${dimensions} numbers${hasSubwords ? ', with n-grams for words never seen' : ''}`,
    `${found.fileBytes} bytes in the file, ${bytes} in memory`,
    `first words: ${shorten(first.join(' '), 2 * kWordColumns)}`,
    ...warnings,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Writes a file in another format. */
export async function convert(file: string, output: string, flags: ConvertFlags): Promise<void> {
  const kv = await load(file, flags);
  await kv.save(output, { format: flags.to, quantize: flags.quantize });
  process.stdout.write(`${output}: ${kv.size} words of ${kv.dimensions} numbers\n`);
}

/** Draws words. */
export async function plot(file: string, flags: PlotFlags): Promise<void> {
  const isPage = flags.output.endsWith('.html');
  if (!isPage && !flags.output.endsWith('.svg')) throw unexpected('USAGE', 'a name that ends in .svg or .html for --output', flags.output);
  const kv = await load(file, flags);
  const words = flags.words === undefined ? kv.words(0, kPlottedWords) : readWordList(flags.words);
  const { svg, html, points } = await kv.plot(words, flags.title === undefined ? {} : { title: flags.title });
  await replaceFile(flags.output, [Buffer.from(isPage ? html : svg)]);
  process.stdout.write(`${flags.output}: ${points.length} words\n`);
}

async function load(file: string, flags: QueryFlags, warnings?: string[]): Promise<KeyedVectors> {
  const { format, header, limit, vocabulary, threads } = flags;
  const onWarning = (message: string): void => {
    if (warnings === undefined) process.stderr.write(`warning: ${message}\n`);
    else warnings.push(message);
  };
  return loadWordVectors(file, { format, header, limit, vocabulary, threads, onWarning });
}

function writeWords(found: readonly SimilarWord[], { json }: QueryFlags): void {
  if (json === true) return void process.stdout.write(`${JSON.stringify(found)}\n`);
  const columns = [
    { name: 'similarity', width: 10, align: 'right' as const },
    { name: 'word', width: kWordColumns },
  ];
  const rows = found.map(({ word, similarity }) => [similarity.toFixed(4), shorten(word, kWordColumns)]);
  process.stdout.write(table(columns, rows, { header: true }));
}
