// XQuAD English: 1,190 questions of SQuAD's on 240 paragraphs (CC BY-SA 4.0).
import { join } from 'node:path';
import { readSquad } from '../../../src/training/datasets/index.js';
import type { QuestionRow } from '../../../src/training/datasets/read-squad.js';
import type { Split } from './split.js';

/** Questions; those on every tenth paragraph are held out. */
export async function questions(shared: string): Promise<Split<QuestionRow>> {
  const rows: QuestionRow[] = [];
  for await (const row of readSquad(join(shared, 'eval/qa/xquad.en.json'))) rows.push(row);
  const paragraphs = [...new Set(rows.map(({ context }) => context))];
  const isHeldOut = ({ context }: QuestionRow): boolean => paragraphs.indexOf(context) % 10 === 9;
  return { train: rows.filter((row) => !isHeldOut(row)), heldOut: rows.filter(isHeldOut) };
}
