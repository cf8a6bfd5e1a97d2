import { unexpected } from '../../expected.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import type { Corpus } from './text-source.js';
import type { TokenArena } from './token-arena.js';

/**
 * How text is laid out: 'sentences', one a line (or item) with blank lines between documents; 'documents', one a line (or item), whose
 * sentences are found by Unicode's rules.
 */
export type CorpusFormat = 'sentences' | 'documents';

/** A corpus as tokens. Sentence i is tokens sentences[i] .. sentences[i + 1]; document d sentences documents[d] .. documents[d + 1]. */
export interface Documents {
  readonly tokens: TokenArena;
  readonly sentences: readonly number[];
  readonly documents: readonly number[];
}

/** Units of text that are read between two looks at the clock. */
const kUnitsPerTurn = 1 << 13;

/**
 * Reads a corpus into an arena, behind what is there. Sentences and documents without tokens are left out. Special tokens in the text are text.
 *
 * Errors: those of the corpus, EMPTY_INPUT; the reason of the budget's signal.
 */
export async function readDocuments(
  corpus: Corpus,
  tokenizer: Tokenizer,
  format: CorpusFormat,
  tokens: TokenArena,
  budget: Budget,
  onProgress?: (bytes: number, totalBytes: number | undefined) => void,
): Promise<Documents> {
  const sentences = [tokens.length];
  const documents = [0];
  const endDocument = (): void => {
    if (sentences.length - 1 > documents.at(-1)!) documents.push(sentences.length - 1);
  };
  for await (const text of corpus.texts()) {
    onProgress?.(corpus.readBytes, corpus.totalBytes);
    if (format === 'sentences' && text.trim() === '') endDocument();
    for (const sentence of format === 'sentences' ? [text] : sentencesOf(text)) {
      const task = tokenizer.startEncoding(sentence, {
        truncation: false,
        addSpecialTokens: false,
        splitSpecialTokens: true,
        offsets: true,
      });
      while (!task.run(kUnitsPerTurn)) if (budget.isSpent) await budget.yield();
      const { ids, offsets } = task.finish();
      if (ids.length > 0) {
        tokens.add(ids, offsets!);
        sentences.push(tokens.length);
      }
      if (budget.isSpent) await budget.yield();
    }
    if (format === 'documents') endDocument();
  }
  endDocument();
  if (sentences.length === 1) throw unexpected('EMPTY_INPUT', 'words in the corpus', 'none');
  return { tokens, sentences, documents };
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });

function* sentencesOf(text: string): Generator<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}
