/** Ops of families, as `NativeOp` holds them; native/engine/program says what each computes. Nothing here is public. */

/** Element-wise functions of a linear. */
export type NativeActivation =
  'none' | 'gelu' | 'gelu_tanh' | 'relu' | 'silu' | 'tanh' | 'sigmoid' | 'quick_gelu' | 'relu6' | 'relu_squared' | 'leaky_relu' | 'mish';

/** activation(input) + residual; gated, without a residual: activation of the first half of its columns, times the second. */
export interface NativeActivationOp {
  readonly op: 'activation';
  readonly input: number;
  readonly output: number;
  readonly residual?: number | undefined;
  readonly activation: NativeActivation;
  readonly gated?: boolean | undefined;
}

/** The neighbours of each token side by side; `size` is odd. */
export interface NativeUnfoldOp {
  readonly op: 'unfold';
  readonly input: number;
  readonly output: number;
  readonly size: number;
}

/** A product whose log(1 + max(x, 0)) is reduced over the tokens of each sequence, to the largest or the sum; `logs` 2: log(1 + that). */
export interface NativePoolLinearOp {
  readonly op: 'pool_linear';
  readonly input: number;
  readonly output: number;
  readonly matrix: number;
  readonly bias?: number | undefined;
  readonly sums: boolean;
  readonly logs: 1 | 2;
}

/** The rows of a table, which no batch changes. */
export interface NativeConstantOp {
  readonly op: 'constant';
  readonly output: number;
  readonly table: number;
}

/** Ops that `NativeOp` lists by this name. */
export type NativeFamilyOp = NativeActivationOp | NativeConstantOp | NativeUnfoldOp | NativePoolLinearOp;

/** Of a weight's part that is I8, bytes into the same file: float32 scales of its rows, and input scales of the columns where the rows were multiplied by such. */
export interface NativeScales {
  readonly rowScales?: number;
  readonly inputScales?: number;
}

/** A lookup of ids. */
export interface NativeEmbedOp {
  readonly op: 'embed';
  readonly ids: number;
  readonly typeIds?: number | undefined;
  readonly output: number;
  readonly word: number;
  readonly position?: number | undefined;
  readonly type?: number | undefined;
  readonly positionOffset: number;
  readonly paddingId?: number | undefined;
  readonly scale?: number | undefined;
  readonly sinusoidal?: boolean | undefined;
}
