import { quote } from '../../checkpoint/describe.js';
import { storedName } from '../../checkpoint/safetensors/row-range.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { unexpected } from '../../expected.js';
import { BranchingBuilder, type BesideLinear } from '../../models/program/low-rank.js';
import type { ProgramLimits, Value, WeightRef } from '../../models/program/program.js';
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
export class LoraBuilder extends BranchingBuilder {
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
  protected override branchOf(x: Value, weight: WeightRef, tensors: readonly TensorInfo[]): BesideLinear | undefined {
    const lora = this.#lora;
    const layers = lora === undefined ? [] : targetsOf(tensors, lora, this.#mayAdapt);
    if (lora === undefined || layers.length === 0) return undefined;
    const rank = lora.r * layers.length;
    const like = tensors[0]!;
    const nameOf = (part: string): string => layers.map(({ module }) => `${module}.${part}.weight`).join(' + ');
    const down = this.matrix({ ...like, name: nameOf('lora_A'), shape: [rank, x.width] });
    const up = this.matrix({ ...like, name: nameOf('lora_B'), shape: [weight.rows, rank] });
    layers.forEach((layer, i) => this.adapted.push({ ...layer, a: down.id, b: up.id, rankBegin: i * lora.r, rank: lora.r, cols: x.width }));
    const input = this.#learns ? this.dropout(x, lora.loraDropout, this.#sites++) : x;
    return { down, up, input, scale: loraScale(lora) };
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
  return tensors.flatMap((tensor) => {
    const { shape } = tensor;
    const name = storedName(tensor);
    const layer = { module: name.replace(/\.weight$/, ''), rowBegin, rows: shape[0]! };
    rowBegin += layer.rows;
    const isAdapted =
      mayAdapt(name) &&
      !isInModule(name, lora.modulesToSave) &&
      (lora.targetModules === 'all-linear' || isTarget(layer.module, lora.targetModules));
    if (isAdapted && tensor.rowsOf !== undefined && lora.targetModules !== 'all-linear') {
      throw unexpected('INVALID_OPTION', 'layers whose matrices are read as they are stored for targetModules', quote(layer.module));
    }
    return isAdapted && tensor.rowsOf === undefined ? [layer] : [];
  });
}
