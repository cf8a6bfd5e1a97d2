import type { LowRankBranch } from '../../checkpoint/adapter/adapter.js';
import { rowRange, storedName } from '../../checkpoint/safetensors/row-range.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import {
  ProgramBuilder,
  type BlockPlace,
  type LinearOptions,
  type LinearWeights,
  type ProgramLimits,
  type Value,
  type WeightRef,
} from './program.js';

/** The branches of an adapter by the names of the matrices that they belong to, and whether they are added to these. */
export interface LowRank {
  readonly branches: ReadonlyMap<string, LowRankBranch>;
  readonly merge: boolean;
}

/** A branch beside a linear layer: A [rank, in], B [out, rank], and what is not as usual. */
export interface BesideLinear extends Pick<LinearOptions, 'scale' | 'fullPrecision'> {
  readonly down: WeightRef;
  readonly up: WeightRef;
  /** What A reads, for another than the layer's input. */
  readonly input?: Value;
}

/** A builder whose linear layers may have a branch of low rank beside them: activation(W x + scale · B A x + bias). */
export abstract class BranchingBuilder extends ProgramBuilder {
  /** The branch of a linear layer of these stacked tensors; undefined: none. */
  protected abstract branchOf(x: Value, weight: WeightRef, tensors: readonly TensorInfo[]): BesideLinear | undefined;

  override linear(x: Value, weights: LinearWeights, options: LinearOptions = {}): Value {
    const found = this.branchOf(x, weights.weight, this.tensorsOf(weights.weight));
    if (found === undefined) return super.linear(x, weights, options);
    const { down, up, input = x, scale, ...precision } = found;
    const scaled = scale === undefined ? precision : { ...precision, scale };
    const branch = (residual: Value, dropout: LinearOptions): Value =>
      super.linear(super.linear(input, { weight: down }, precision), { weight: up }, { ...scaled, ...dropout, residual });
    const { activation = 'none', residual, gated = false, ...dropout } = options;
    if (gated) return this.gate(branch(super.linear(x, weights), {}), activation);
    // Dropped numbers are the same in both terms, which have one site.
    if (activation === 'none') {
      return branch(super.linear(x, weights, { ...dropout, ...(residual === undefined ? {} : { residual }) }), dropout);
    }
    const activated = this.activate(branch(super.linear(x, weights), {}), activation);
    return this.dropout(activated, dropout.dropout ?? 0, dropout.dropoutSite ?? 0);
  }
}

/**
 * Builds a model with an adapter. The branches of a product's layers are one: their A on top of each other, times their scales, and a block of B for
 * each; both in fp32 in any precision. Merged, they are added to the matrices while these are read, and the program is that of the model alone.
 */
export class AdaptedBuilder extends BranchingBuilder {
  /** Names of matrices whose branches are in the program. */
  readonly adapted = new Set<string>();
  readonly #lowRank: LowRank;

  constructor(limits: ProgramLimits, lowRank: LowRank) {
    super(limits);
    this.#lowRank = lowRank;
  }

  override matrix(...tensors: TensorInfo[]): WeightRef {
    const weight = super.matrix(...tensors);
    if (!this.#lowRank.merge) return weight;
    const added = this.#layersOf(tensors).map(({ rowBegin, branch: { down, up, scale } }) => ({ rowBegin, down, up, scale }));
    if (added.length > 0) this.addProducts(weight, added);
    return weight;
  }

  protected override branchOf(x: Value, weight: WeightRef, tensors: readonly TensorInfo[]): BesideLinear | undefined {
    const layers = this.#lowRank.merge ? [] : this.#layersOf(tensors);
    if (layers.length === 0) return undefined;
    let rank = 0;
    const placed = new Map<string, BlockPlace & { readonly tensor: TensorInfo }>(); // ranges of a layer's rows share A
    for (const { layer, branch } of layers) {
      if (placed.has(layer)) continue;
      placed.set(layer, { tensor: branch.down, rowBegin: rank, colBegin: 0, scale: branch.scale });
      rank += branch.down.shape[0]!;
    }
    const down = this.blocks([rank, x.width], [...placed.values()]);
    const up = this.blocks(
      [weight.rows, rank],
      layers.map(({ layer, rowBegin, branch }) => ({ tensor: branch.up, rowBegin, colBegin: placed.get(layer)!.rowBegin })),
    );
    return { down, up, fullPrecision: true };
  }

  /** The layers of a product that have a branch, or ranges of their rows, and where these begin. */
  #layersOf(tensors: readonly TensorInfo[]): { readonly layer: string; readonly rowBegin: number; readonly branch: LowRankBranch }[] {
    let next = 0;
    return tensors.flatMap((tensor) => {
      const rowBegin = next;
      const rows = tensor.shape[0]!;
      next += rows;
      const name = storedName(tensor);
      const branch = this.#lowRank.branches.get(name);
      if (branch === undefined) return [];
      this.adapted.add(name);
      return [{ layer: name, rowBegin, branch: { ...branch, up: rowRange(branch.up, tensor.rowsOf?.begin ?? 0, rows) } }];
    });
  }
}
