import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../src/models/load-tokenizer.js';
import type { Report } from './report.js';

/** A file of cases: texts as source and as target, and what their ids are decoded to. */
interface PieceCases {
  readonly tokenizer: string;
  readonly cases: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly decoded: string;
    readonly decoded_with_special: string;
    readonly target_ids?: readonly number[];
  }[];
}

const kFiles = ['marian.json', 'marian-separate.json', 'bertgen2bertgen.json'] as const;

/** Whether a folder holds cases of tokenizers that are SentencePiece models. */
export function hasPieceCases(folder: string): boolean {
  return kFiles.some((file) => existsSync(join(folder, file)));
}

/** Compares ids as source and as target, and decoded texts, of tokenizers that are SentencePiece models. */
export async function comparePieces(folder: string, report: Report): Promise<void> {
  for (const file of kFiles.filter((name) => existsSync(join(folder, name)))) {
    const { tokenizer: path, cases } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as PieceCases;
    const tokenizer = await loadTokenizer(join(folder, path));
    cases.forEach(({ text, ids, decoded, decoded_with_special: withSpecial, target_ids: targetIds }) => {
      report.sequences++;
      const name = `${file} ${JSON.stringify(text)}`;
      report.compareEqual(`${name} ids`, Array.from(tokenizer.encode(text).ids), ids);
      report.compareEqual(`${name} ids alone`, Array.from(tokenizer.encodeIds(text).ids), ids);
      if (targetIds !== undefined) report.compareEqual(`${name} target ids`, Array.from(tokenizer.target.encode(text).ids), targetIds);
      report.compareEqual(`${name} decoded`, tokenizer.decode(ids, { skipSpecialTokens: true }), decoded);
      report.compareEqual(`${name} decoded with special tokens`, tokenizer.decode(ids), withSpecial);
    });
  }
}
