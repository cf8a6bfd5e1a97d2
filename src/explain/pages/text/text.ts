import stringWidth from 'string-width';
import { shorten, visible } from '../../../one-line.js';
import type { Attention } from '../../attention/attention.js';
import type { Rollout } from '../../attention/rollout.js';
import type { SimilarityExplanation } from '../../attribution/similarity.js';
import type { ErrorsBody, ExampleData, LensMaskData, MapBody, PageData } from '../data.js';
import type { ExplainResult, TextRollout } from '../result.js';
import { headingOf } from '../view/heading.js';
import { percent } from '../view/numbers.js';
import { faithfulnessTable, lengthTable, tablesOf, type Table } from '../view/tables.js';
import { tokensAsUnits } from '../view/token-units.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { attributionLines, signedText } from './attribution-lines.js';
import type { Styles } from './styles.js';

/** Texts of a group, and pairs of tokens, that are shown. */
const [kShownTexts, kShownPairs, kShownReads] = [3, 8, 3];

/** A result as lines for a terminal of `width` columns. */
export function textOf(result: ExplainResult, data: PageData, words: Words, styles: Styles, width: number): string {
  const { question, facts, claims, warnings } = headingOf(data, words);
  const about = facts.map(([name, value]) => `${name}: ${value}`).join('; ');
  return [
    `${styles.bold(visible(question))}\n`,
    about === '' ? '' : `${styles.dim(visible(about))}\n`,
    '\n',
    bodyOf(result, data, words, styles, width),
    ...warnings.map((warning) => `${styles.warn('!')} ${visible(warning)}\n`),
    ...claims.map((claim) => styles.dim(`${claim}\n`)),
  ].join('');
}

function bodyOf(result: ExplainResult, data: PageData, words: Words, styles: Styles, width: number): string {
  switch (data.kind) {
    case 'attribution': {
      const { faithfulness, tokens } = data;
      const own = tokensAsUnits(data);
      const isInside = own.length > 0 && own.length < tokens.filter(({ special }) => !special).length;
      const inside = isInside ? `\n${styles.bold(words.insideStrongest)}\n${attributionLines({ attributions: own }, styles, width)}` : '';
      return (
        attributionLines(data, styles, width) +
        inside +
        (faithfulness === undefined ? '' : tableLines(faithfulnessTable(faithfulness, words), styles))
      );
    }
    case 'similarity': {
      const [first, second] = [data.a, data.b].map((own) => attributionLines(own, styles, width));
      const pairs = strongestPairs(result as SimilarityExplanation).map(
        ({ a, b, value }) => `  ${visible(a)}  ${visible(b)}  ${signedText(value)}\n`,
      );
      return `${styles.bold(words.firstText)}\n${first}\n${styles.bold(words.secondText)}\n${second}\n${styles.bold(words.strongestPairs)}\n${pairs.join('')}`;
    }
    case 'attention':
      return attentionLines(result as Attention & { readonly rollout?: Rollout }, words, styles);
    case 'rollout':
      return `${rolloutLines(result as TextRollout, words, styles)}\n`;
    case 'lens':
      return data.masks.map((mask) => lensLines(mask, words, styles)).join('\n');
    case 'map':
      return mapLines(data, styles, width);
    case 'errors':
      return errorLines(data, words, styles, width);
    case 'probe':
    case 'check':
    case 'training':
    case 'tokens':
      return tablesOf(data, words)
        .map((table) => tableLines(table, styles))
        .join('');
  }
}

function strongestPairs({
  map,
  tokensA,
  tokensB,
}: SimilarityExplanation): { readonly a: string; readonly b: string; readonly value: number }[] {
  const width = tokensB.length;
  return Array.from(map.data, (value, i) => ({ value, a: tokensA[Math.floor(i / width)]!, b: tokensB[i % width]! }))
    .filter(({ a, b }) => !a.special && !b.special)
    .sort((one, other) => other.value - one.value)
    .slice(0, kShownPairs)
    .map(({ value, a, b }) => ({ value, a: a.token, b: b.token }));
}

/** The tokens that each token reads most: by the mean of the heads of each layer, then through all layers. */
function attentionLines(
  { tokens, weights, layers, heads, rollout }: Attention & { readonly rollout?: Rollout },
  words: Words,
  styles: Styles,
): string {
  const count = tokens.length;
  const blocks = weights.map(({ data }, l) =>
    readLines(tokens, styles, `${words.layer} ${layers[l]}`, (i, j) => {
      let sum = 0;
      for (let head = 0; head < heads.length; head++) sum += data[(head * count + i) * count + j]!;
      return sum / heads.length;
    }),
  );
  if (rollout !== undefined) blocks.push(rolloutLines({ tokens, rollout }, words, styles));
  return `${blocks.join('\n')}\n`;
}

function rolloutLines({ tokens, rollout }: Pick<TextRollout, 'tokens' | 'rollout'>, words: Words, styles: Styles): string {
  return readLines(tokens, styles, words.rollout, (i, j) => rollout.data[i * tokens.length + j]!);
}

/** For each token those that it reads most. */
function readLines(tokens: TextRollout['tokens'], styles: Styles, title: string, weightOf: (from: number, to: number) => number): string {
  const column = Math.max(...tokens.map(({ token }) => stringWidth(visible(token))));
  const rows = tokens.map(({ token }, i) => {
    const row = tokens.map((_, j) => weightOf(i, j));
    const best = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, kShownReads);
    const reads = best.map((j) => `${visible(tokens[j]!.token)} ${styles.dim(percent(row[j]))}`);
    const name = visible(token);
    return `  ${name}${' '.repeat(column - stringWidth(name))}  ${reads.join('  ')}\n`;
  });
  return `${styles.bold(title)}\n${rows.join('')}`;
}

function lensLines({ position, final, layers }: LensMaskData, words: Words, styles: Styles): string {
  const names = layers.map(({ layer }) => (layer === 0 ? words.embeddings : `${words.layer} ${layer}`));
  const column = Math.max(...names.map((name) => stringWidth(name)));
  const rows = layers.map(({ words: best, rankOfFinal }, i) => {
    const list = best.map(({ word, logProbability }) => `${visible(word)} ${styles.dim(percent(Math.exp(logProbability), 1))}`);
    const place = styles.dim(`${fill(words.placeOf, visible(final))} ${rankOfFinal + 1}`);
    return `  ${names[i]}${' '.repeat(column - stringWidth(names[i]!))}  ${list.join('  ')}  ${place}\n`;
  });
  return `${styles.bold(`${fill(words.maskAt, position)}: ${visible(final)}`)}\n${rows.join('')}`;
}

function mapLines({ groups, points }: MapBody, styles: Styles, width: number): string {
  const blocks = groups.map(({ name, size, keywords }, group) => {
    const shown = points.filter((point) => point.group === group).slice(0, kShownTexts);
    const lines = shown.map(({ text }) => `  ${shorten(text, width - 2)}\n`);
    return `${styles.bold(`${visible(name)} (${size})`)}  ${keywords.map(({ word }) => visible(word)).join(', ')}\n${lines.join('')}`;
  });
  return `${blocks.join('\n')}\n`;
}

function errorLines(data: ErrorsBody & { readonly kind: 'errors' } & PageData, words: Words, styles: Styles, width: number): string {
  const [confusion, , misleading] = tablesOf(data, words);
  const wrong = data.texts.filter(({ label, predicted }) => label !== predicted).sort((a, b) => a.probability - b.probability);
  const line = ({ text, label, predicted, probability }: ExampleData): string => {
    const head = `${visible(label)} → ${visible(predicted)}  ${percent(probability, 1)}`;
    return `  ${styles.dim(head)}  ${shorten(text, Math.max(20, width - stringWidth(head) - 6))}\n`;
  };
  const list = wrong.slice(0, 20).map(line);
  return [
    tableLines(confusion!, styles),
    tableLines(lengthTable(data, words), styles),
    wrong.length === 0 ? '' : `${styles.bold(words.allWrong)}\n${list.join('')}\n`,
    misleading!.rows.length === 0 ? '' : tableLines(misleading!, styles),
  ].join('');
}

/** A table with columns as wide as their cells, numbers to the right. */
function tableLines({ title, columns, rows }: Table, styles: Styles): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => shorten(cell, 48)));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ''))));
  const lines = cells.map((row, i) => {
    const own = row.map((cell, column) => {
      const gap = ' '.repeat(widths[column]! - stringWidth(cell));
      return column > 0 && /^[+−–\d]/.test(rows[0]?.[column] ?? '') ? gap + cell : cell + gap;
    });
    const text = own.join('  ').trimEnd();
    return `  ${i === 0 ? styles.dim(text) : text}\n`;
  });
  return `${styles.bold(title)}\n${lines.join('')}\n`;
}
