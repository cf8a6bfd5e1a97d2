// XQuAD English: 1,190 questions of SQuAD's on 240 paragraphs of 48 articles (CC BY-SA 4.0).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSquad } from '../../../src/training/datasets/index.js';
import type { QuestionRow } from '../../../src/training/datasets/read-squad.js';

/** What of SQuAD's JSON tells articles from each other. */
interface SquadFile {
  readonly data: readonly { readonly paragraphs: readonly { readonly context: string }[] }[];
}

/** Questions to learn from, to choose arguments by, and to measure with: no two of them have an article in common. */
export interface Questions {
  readonly train: readonly QuestionRow[];
  readonly choosing: readonly QuestionRow[];
  readonly heldOut: readonly QuestionRow[];
}

/** Questions; those on every tenth article are held out, and those on two others are for choosing. */
export async function questions(shared: string): Promise<Questions> {
  const file = join(shared, 'eval/qa/xquad.en.json');
  const { data } = JSON.parse(readFileSync(file, 'utf8')) as SquadFile;
  const articleOf = new Map(data.flatMap(({ paragraphs }, i) => paragraphs.map(({ context }) => [context, i] as const)));
  const parts = { train: [] as QuestionRow[], choosing: [] as QuestionRow[], heldOut: [] as QuestionRow[] };
  for await (const row of readSquad(file)) parts[partOf(articleOf.get(row.context)!)].push(row);
  return parts;
}

function partOf(article: number): keyof Questions {
  if (article % 10 === 4) return 'heldOut';
  return article % 20 === 9 ? 'choosing' : 'train';
}
