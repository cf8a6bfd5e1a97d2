// Pang and Lee's sentences and reviews of films (CC BY 4.0, nltk_data): the text is lower-cased, its punctuation stands by itself.
import { join } from 'node:path';
import type { Row } from '../../../src/training/index.js';
import { everyTenth, together, type Split } from './split.js';
import { readZipTexts } from './zip.js';

/** A text and what it says. */
export interface SentimentRow extends Row {
  readonly text: string;
  readonly label: 'negative' | 'positive';
}

const kLabels = { neg: 'negative', pos: 'positive' } as const;
/** A review's verdict is at its end, of which this many words are read. */
const kReviewWords = 90;

/** Sentences, of which a tenth is held out: that of each label. */
export function sentences(folder: string): Split<SentimentRow> {
  const texts = readZipTexts(join(folder, 'eval/cls/sentence_polarity.zip'), /rt-polarity\.(neg|pos)$/, 'latin1');
  return together(
    [...texts].map(([name, text]) => everyTenth(labelled(text.split('\n').map(readable), /neg$/.test(name) ? 'neg' : 'pos'))),
  );
}

/** The ends of reviews, of which a tenth is held out: that of each label. */
export function reviewEnds(folder: string): Split<SentimentRow> {
  const texts = readZipTexts(join(folder, 'eval/cls/movie_reviews.zip'), /\/(neg|pos)\/.*\.txt$/, 'latin1');
  const ends = (side: 'neg' | 'pos') =>
    [...texts].flatMap(([name, text]) =>
      name.includes(`/${side}/`) ? [readable(text.split(/\s+/).filter(Boolean).slice(-kReviewWords).join(' '))] : [],
    );
  return together([everyTenth(labelled(ends('neg'), 'neg')), everyTenth(labelled(ends('pos'), 'pos'))]);
}

function labelled(texts: readonly string[], side: 'neg' | 'pos'): SentimentRow[] {
  return texts.filter((text) => text !== '').map((text) => ({ text, label: kLabels[side] }));
}

/** As people write it: no blank before a stop or a comma, none in "it's". The words stay. */
function readable(text: string): string {
  return text
    .trim()
    .replace(/ ([,.;:!?)\]])/g, '$1')
    .replace(/([([]) /g, '$1')
    .replace(/ (n't|'(?:s|re|ve|ll|d|m))\b/g, '$1');
}
