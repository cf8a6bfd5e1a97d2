import { deriveModel } from './derive-model.js';

/** An attention head, both counted from 0. */
export interface HeadPlace {
  readonly layer: number;
  readonly head: number;
}

/** The matrix that reads the heads' outputs beside each other, [hidden, heads · width], whatever the family. */
const kAttentionOutput = /(?:^|\.)layers?\.(\d+)\.(?:attention\.(?:output\.dense|out_lin|attn\.o|o_proj)|attn\.(?:out_proj|Wo))\.weight$/;

/** The layer whose attention a matrix ends; undefined for all other tensors. */
export function layerOfAttention(name: string): number | undefined {
  const [, layer] = kAttentionOutput.exec(name) ?? [];
  return layer === undefined ? undefined : Number(layer);
}

/**
 * Writes a model without some of another's attention heads: what they say is multiplied by 0, so that every shape stays and any version of
 * transformers loads it. (`pruned_heads` in config.json would make matrices narrower; transformers 5 cannot read it any more.) `folder` exists.
 *
 * Errors: IO, those of `openModelDirectory`.
 */
export async function zeroHeads(directory: string, heads: readonly HeadPlace[], folder: string): Promise<void> {
  await deriveModel(directory, folder, ({ config: { headDim } }) => ({
    tensor: (stored) => {
      const layer = layerOfAttention(stored.name);
      const own = heads.filter((each) => each.layer === layer);
      if (own.length === 0) return stored;
      return { ...stored, read: async () => withoutColumns(await stored.read(), stored.shape[1]!, own, headDim) };
    },
  }));
}

function withoutColumns(matrix: Float32Array, cols: number, heads: readonly HeadPlace[], width: number): Float32Array {
  for (let row = 0; row < matrix.length; row += cols) {
    for (const { head } of heads) matrix.fill(0, row + head * width, row + (head + 1) * width);
  }
  return matrix;
}
