import { quote } from '../../checkpoint/describe.js';
import { storedName } from '../../checkpoint/safetensors/row-range.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { unexpected } from '../../expected.js';
import { BranchingBuilder, type BesideLinear } from '../../models/program/low-rank.js';
import type { ProgramLimits, Value, WeightRef } from '../../models/program/program.js';
import { isInModule, isTarget, loraScale, type LoraSettings } from './lora.js';

/** A layer with a low-rank branch, or a range of its rows: where in the stacked weights A [.., in] and B [out, ..] its own lie. */
export interface AdaptedLayer {
  /** Its full name, without `.weight`. */
  readonly module: string;
  /** The name of its matrix, or of that range of rows. */
  readonly matrix: string;
  /** Of a range: its first row in the layer's matrix, and how many there are in all. Ranges of a layer share A. */
  readonly rowsOf?: { readonly begin: number; readonly total: number };
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

type Target = Pick<AdaptedLayer, 'module' | 'matrix' | 'rowBegin' | 'rows' | 'rowsOf'>;
type BranchWeights = Pick<BesideLinear, 'down' | 'up'>;

/** A builder that adds low-rank branches to the linear layers that are adapted; without `lora` the same as any. */
export class LoraBuilder extends BranchingBuilder {
  readonly adapted: AdaptedLayer[] = [];
  readonly #branches = new Map<number, BranchWeights>();
  readonly #lora: LoraSettings | undefined;
  readonly #learns: boolean;
  readonly #mayAdapt: (name: string) => boolean;
  #sites = kFirstSite;

  constructor(
    limits: ProgramLimits,
    options: {
      readonly learns: boolean;
      readonly lora: LoraSettings | undefined;
      readonly mayAdapt: (name: string) => boolean;
      readonly sharesWeights?: boolean;
    },
  ) {
    super(limits, options);
    this.#learns = options.learns;
    this.#lora = options.lora;
    this.#mayAdapt = options.mayAdapt;
  }

  /** Query, key and value of one product share a branch: the rows of A lie on top of each other, B has a block for each layer and 0 elsewhere. */
  protected override branchOf(x: Value, weight: WeightRef, tensors: readonly TensorInfo[]): BesideLinear | undefined {
    const lora = this.#lora;
    const layers = lora === undefined ? [] : targetsOf(tensors, lora, this.#mayAdapt);
    if (lora === undefined || layers.length === 0) return undefined;
    const input = this.#learns ? this.dropout(x, lora.loraDropout, this.#sites++) : x;
    const known = this.#branches.get(weight.id);
    const { down, up } = known ?? this.#addBranch(weight, tensors[0]!, layers, lora);
    this.#branches.set(weight.id, { down, up });
    return { down, up, input, scale: loraScale(lora) };
  }

  /** The weights of a branch. A product that is asked for twice, of tokens and of positions, has them once. */
  #addBranch(weight: WeightRef, { rowsOf: _, ...like }: TensorInfo, layers: readonly Target[], lora: LoraSettings): BranchWeights {
    const { cols } = weight;
    const modules = [...new Set(layers.map(({ module }) => module))];
    const rank = lora.r * modules.length;
    const nameOf = (part: string): string => modules.map((module) => `${module}.${part}.weight`).join(' + ');
    const down = this.matrix({ ...like, name: nameOf('lora_A'), shape: [rank, cols] });
    const up = this.matrix({ ...like, name: nameOf('lora_B'), shape: [weight.rows, rank] });
    for (const layer of layers) {
      const rankBegin = modules.indexOf(layer.module) * lora.r;
      this.adapted.push({ ...layer, a: down.id, b: up.id, rankBegin, rank: lora.r, cols });
    }
    return { down, up };
  }
}

/** Sites of the branches' own dropout, behind those of any model. */
const kFirstSite = 32768;

function targetsOf(tensors: readonly TensorInfo[], lora: LoraSettings, mayAdapt: (name: string) => boolean): Target[] {
  let rowBegin = 0;
  return tensors.flatMap((tensor) => {
    const { shape, rowsOf } = tensor;
    const name = storedName(tensor);
    const layer = { module: name.replace(/\.weight$/, ''), matrix: tensor.name, rowBegin, rows: shape[0]! };
    rowBegin += layer.rows;
    const isAdapted =
      mayAdapt(name) &&
      !isInModule(name, lora.modulesToSave) &&
      (lora.targetModules === 'all-linear' || isTarget(layer.module, lora.targetModules));
    if (!isAdapted) return [];
    if (rowsOf === undefined) return [layer];
    const total = rowsOf.tensor.shape[0]!;
    if (rowsOf.tensor.shape.length === 2) return [{ ...layer, rowsOf: { begin: rowsOf.begin, total } }];
    if (lora.targetModules === 'all-linear') return [];
    throw unexpected('INVALID_OPTION', 'linear layers for targetModules', quote(layer.module));
  });
}
