import { classifyText, type LabelScore, type ScoreFunction, type TextInput } from 'bertha-encoder';
import { empty } from '../failures/failures.js';
import { sizeOfTexts, type ModelRequest } from '../requests/compute.js';
import { computeWith, type Exchange } from './exchange.js';
import { reading, type ReadingWish } from './reading.js';
import { tellTruncated } from './truncated.js';

/** How labels are wanted. */
export interface ClassifyWish extends ReadingWish {
  /** Default: all. */
  readonly topK?: number | null | undefined;
  readonly functionToApply?: ScoreFunction | undefined;
}

/** Labels of texts or pairs, the best first. Errors: RequestError 400 for empty texts; as `computeWith` and `classifyText`. */
export async function classifyInputs(
  exchange: Exchange,
  body: ModelRequest,
  inputs: readonly TextInput[],
  { topK = null, functionToApply, ...wish }: ClassifyWish,
): Promise<readonly (readonly LabelScore[])[]> {
  if (inputs.length === 0) throw empty('Expected at least one text for inputs but the list is empty.', 'inputs');
  const texts = inputs.map((input) => (typeof input === 'string' ? input : input.text + (input.textPair ?? '')));
  const blank = texts.indexOf('');
  if (blank >= 0) throw empty(`Expected a text for inputs but the one at index ${blank} is empty.`, 'inputs');
  const found = await computeWith(exchange, body, 'classify', sizeOfTexts(texts), ({ model }, options) =>
    classifyText(model, inputs, { ...options, ...reading(exchange.state, wish), topK, functionToApply }),
  );
  tellTruncated(exchange.reply, found);
  return found.map(({ labels }) => labels);
}
