import { generate, type GenerateOptions } from '../../generation/generate.js';
import type { ForwardInput, Model } from '../../models/index.js';
import type { CollatedBatch } from '../collators/collator.js';
import type { BatchWriter } from '../trainer/evaluation.js';

/** How texts are written while a model is evaluated: `generate`'s settings. */
export type WritingOptions = Omit<GenerateOptions, 'numReturnSequences' | 'decoderInputIds' | 'signal' | 'priority'>;

/** The sources of a batch as `generate` takes them. */
export function sourcesOf({ batch }: CollatedBatch, hasTypes: boolean): ForwardInput[] {
  const { inputIds, tokenTypeIds, cuSeqlens } = batch;
  return Array.from({ length: cuSeqlens.length - 1 }, (_, i) => {
    const [begin, end] = [cuSeqlens[i], cuSeqlens[i + 1]];
    return { ids: inputIds.slice(begin, end), ...(hasTypes && { typeIds: tokenTypeIds.slice(begin, end) }) };
  });
}

/** Writes a text for each row, the best one, as bulk work. The model is disposed of with it. */
export function textWriter(model: Model, options: WritingOptions): BatchWriter {
  return {
    write: async (batch, { signal }) => {
      const texts = await generate(model, sourcesOf(batch, model.config.typeVocabSize > 0), { ...options, signal, priority: 'bulk' });
      return texts.map(([best]) => best!.text);
    },
    close: () => model.dispose(),
  };
}
