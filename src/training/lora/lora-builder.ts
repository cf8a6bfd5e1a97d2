import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { ProgramBuilder, type LinearOptions, type LinearWeights, type ProgramLimits, type Value } from '../../models/program/program.js';
import { isInModule, isTarget, loraScale, type LoraSettings } from './lora.js';

/** A layer with a low-rank branch: where in the stacked weights A [.., in] and B [out, ..] its own lie. */
export interface AdaptedLayer {
  /** Its full name, without `.weight`. */
  readonly module: string;
  readonly a: number;
  readonly b: number;
  /** Rows of A and columns of B. */
  readonly rankBegin: number;
  readonly rank: number;
  /** Rows of B. */
  readonly rowBegin: number;
  readonly rows: number;
  readonly cols: number;
}

/** A builder that adds low-rank branches to the linear layers that are adapted; without `lora` the same as any. */
export class LoraBuilder extends ProgramBuilder {
  readonly adapted: AdaptedLayer[] = [];
  readonly #lora: LoraSettings | undefined;
  readonly #learns: boolean;
  readonly #mayAdapt: (name: string) => boolean;
  #sites = kFirstSite;

  constructor(
    limits: ProgramLimits,
    options: { readonly learns: boolean; readonly lora: LoraSettings | undefined; readonly mayAdapt: (name: string) => boolean },
  ) {
    super(limits);
    this.#learns = options.learns;
    this.#lora = options.lora;
    this.#mayAdapt = options.mayAdapt;
  }

  /** Query, key and value of one product share a branch: the rows of A lie on top of each other, B has a block for each layer and 0 elsewhere. */
  override linear(x: Value, weights: LinearWeights, options: LinearOptions = {}): Value {
    const lora = this.#lora;
    const tensors = this.build().weights[weights.weight.id]!.tensors;
    const layers = lora === undefined ? [] : targetsOf(tensors, lora, this.#mayAdapt);
    if (lora === undefined || layers.length === 0) return super.linear(x, weights, options);

    const rank = lora.r * layers.length;
    const like = tensors[0]!;
    const a = this.matrix({ ...like, name: layers.map(({ module }) => `${module}.lora_A.weight`).join(' + '), shape: [rank, x.width] });
    const b = this.matrix({
      ...like,
      name: layers.map(({ module }) => `${module}.lora_B.weight`).join(' + '),
      shape: [weights.weight.rows, rank],
    });
    layers.forEach((layer, i) => this.adapted.push({ ...layer, a: a.id, b: b.id, rankBegin: i * lora.r, rank: lora.r, cols: x.width }));

    const input = this.#learns ? this.dropout(x, lora.loraDropout, this.#sites++) : x;
    const branch = (residual: Value, rest: LinearOptions): Value =>
      super.linear(super.linear(input, { weight: a }), { weight: b }, { ...rest, residual, scale: loraScale(lora) });
    const { activation = 'none', ...rest } = options;
    // Dropped numbers are the same in both terms, which have one site.
    if (activation === 'none') {
      const { residual: _, ...dropout } = rest;
      return branch(super.linear(x, weights, rest), dropout);
    }
    const activated = this.activate(branch(super.linear(x, weights), {}), activation);
    const { dropout = 0, dropoutSite = 0 } = rest;
    return this.dropout(activated, dropout, dropoutSite);
  }
}

/** Sites of the branches' own dropout, behind those of any model. */
const kFirstSite = 32768;

function targetsOf(
  tensors: readonly TensorInfo[],
  lora: LoraSettings,
  mayAdapt: (name: string) => boolean,
): Pick<AdaptedLayer, 'module' | 'rowBegin' | 'rows'>[] {
  let rowBegin = 0;
  return tensors.flatMap(({ name, shape }) => {
    const layer = { module: name.replace(/\.weight$/, ''), rowBegin, rows: shape[0]! };
    rowBegin += layer.rows;
    const isAdapted =
      mayAdapt(name) &&
      !isInModule(name, lora.modulesToSave) &&
      (lora.targetModules === 'all-linear' || isTarget(layer.module, lora.targetModules));
    return isAdapted ? [layer] : [];
  });
}
