// What pages show, as it stands in their JSON: the results of this library without what no page shows, so that a server's answers fit too.

/** A stretch of a text with its value. */
export interface UnitData {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly sequence: number;
  readonly value: number;
  readonly error?: number;
}

/** A token, with a value where the method has one. */
export interface TokenData {
  readonly token: string;
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly sequence: number | null;
  readonly special: boolean;
  readonly value?: number;
}

/** What the best words do to the score, beside words drawn at random. */
export interface FaithfulnessData {
  readonly shares: readonly number[];
  readonly comprehensiveness: readonly number[];
  readonly sufficiency: readonly number[];
  readonly random: { readonly comprehensiveness: readonly number[]; readonly sufficiency: readonly number[] };
}

/** The check under random layers. */
export interface CheckData {
  readonly correlation: number;
  readonly suspicious: boolean;
  readonly values: readonly number[];
  readonly randomValues: readonly number[];
}

/** Attributions of one score. `delta` is null where values do not add up to anything. */
export interface AttributionBody {
  readonly text: string;
  readonly textPair?: string;
  readonly target?: { readonly head: string; readonly label: string; readonly versus?: string; readonly position?: number };
  readonly method: string;
  readonly baseline: string;
  readonly steps: number;
  readonly score: number;
  readonly baselineScore: number;
  readonly attributions: readonly UnitData[];
  readonly tokens: readonly TokenData[];
  readonly delta: number | null;
  readonly converged: boolean;
  readonly truncated: boolean;
  /** The parts that were not read. */
  readonly unread?: readonly { readonly sequence: number; readonly start: number; readonly end: number }[];
  /** Of a text classifier: the words that it counts, with what they add, exactly. */
  readonly features?: readonly { readonly feature: string; readonly value: number }[];
  readonly output?: string;
  readonly faithfulness?: FaithfulnessData;
  readonly check?: CheckData;
  readonly warnings: readonly string[];
}

/** Numbers of 16 bits of the largest absolute value, base64. */
export interface PackedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly largest: number;
  readonly values: string;
}

/** A list of the kinds, each with what only it has. */
export type PageBody =
  | ({ readonly kind: 'attribution' } & AttributionBody)
  | {
      readonly kind: 'similarity';
      readonly cosine: number;
      readonly a: AttributionBody;
      readonly b: AttributionBody;
      readonly map: PackedMatrix;
      readonly tokensA: readonly TokenData[];
      readonly tokensB: readonly TokenData[];
      readonly additive: boolean;
      readonly warnings: readonly string[];
    }
  | ({ readonly kind: 'attention' } & AttentionBody)
  | ({ readonly kind: 'rollout' } & RolloutBody)
  | ({ readonly kind: 'training' } & TrainingBody)
  | { readonly kind: 'lens'; readonly text: string; readonly tokens: readonly TokenData[]; readonly masks: readonly LensMaskData[] }
  | ({ readonly kind: 'probe' } & ProbeBody)
  | ({ readonly kind: 'map' } & MapBody)
  | ({ readonly kind: 'errors' } & ErrorsBody)
  | ({ readonly kind: 'check' } & CheckData)
  | { readonly kind: 'tokens'; readonly texts: readonly TokenizedData[] };

/** Attention of chosen layers and heads; all in full, or what of it fits. */
export interface AttentionBody {
  readonly text: string;
  readonly textPair?: string;
  readonly tokens: readonly TokenData[];
  readonly layers: readonly number[];
  readonly heads: readonly number[];
  readonly weights?: 'probability' | 'norm';
  readonly truncated: boolean;
  /** base64 of raw deflate: of every head [tokens, tokens] bytes that are shares of the row's largest, then [tokens] largest of 16 bits. */
  readonly whole?: string;
  /** The same of one head each, where `whole` would be too large. */
  readonly full?: readonly { readonly layer: number; readonly head: number; readonly data: string }[];
  /** base64 of raw deflate: of every head [side, side] bytes, the largest weight of each cell, square root. */
  readonly pictures?: { readonly side: number; readonly data: string };
  /** base64 of raw deflate: of every head [tokens, count] columns of 16 bits, then as many weights in bytes, parts of 255. */
  readonly strongest?: { readonly count: number; readonly data: string };
  /** As one head of `whole`. */
  readonly rollout?: string;
  /** Where not all heads are in full: what the attention file of the same weights has in its index. */
  readonly key?: string;
}

/** What an attention file begins with: behind it all heads, a layer's beside each other, raw deflate of what one head of `whole` is. */
export interface AttentionIndex {
  /** That of the page. */
  readonly key: string;
  /** How many there are. */
  readonly tokens: number;
  readonly layers: readonly number[];
  readonly heads: readonly number[];
  /** Of each head. */
  readonly bytes: readonly number[];
}

/** Attention through all layers, alone. */
export interface RolloutBody extends Pick<AttentionBody, 'text' | 'textPair' | 'tokens' | 'truncated'> {
  readonly residual: number;
  readonly reduce: 'mean' | 'max';
  /** As one head of `AttentionBody.whole`. */
  readonly rollout: string;
}

/** Curves of runs; null is a gap. Of a long curve the least and the largest value of each stretch. */
export interface TrainingBody {
  readonly curves: readonly {
    readonly run: string;
    readonly name: string;
    readonly steps: readonly number[];
    readonly values: readonly (number | null)[];
  }[];
  readonly warnings: readonly string[];
}

/** A mask through the layers. */
export interface LensMaskData {
  readonly position: number;
  readonly final: string;
  readonly layers: readonly {
    readonly layer: number;
    readonly words: readonly { readonly word: string; readonly logProbability: number }[];
    readonly rankOfFinal: number;
    readonly logProbabilityOfFinal: number;
    readonly entropy: number;
  }[];
}

/** What probes read from layers. */
export interface ProbeBody {
  readonly classes: readonly (string | number | boolean)[];
  readonly layers: readonly {
    readonly layer: number;
    readonly accuracy: number;
    readonly interval: readonly [number, number];
    readonly trainAccuracy: number;
    readonly controlAccuracy?: number;
  }[];
  readonly majority: number;
  readonly trainRows: number;
  readonly testRows: number;
}

/** Texts in a plane. */
export interface MapBody {
  readonly points: readonly { readonly text: string; readonly x: number; readonly y: number; readonly group: number }[];
  readonly groups: readonly {
    readonly name: string;
    readonly size: number;
    readonly keywords: readonly { readonly word: string; readonly weight: number }[];
  }[];
  readonly method: 'pca' | 'umap';
  readonly seed: number;
  /** Of principal components alone. */
  readonly explainedVarianceRatio?: readonly [number, number];
  readonly total: number;
  readonly warnings: readonly string[];
}

/** A text that was classified. */
export interface ExampleData {
  readonly index: number;
  readonly text: string;
  readonly label: string;
  readonly predicted: string;
  readonly probability: number;
  readonly attribution?: Pick<AttributionBody, 'text' | 'attributions' | 'textPair'>;
}

/** What a classifier gets wrong. */
export interface ErrorsBody {
  readonly labels: readonly string[];
  readonly accuracy: number;
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: { readonly observed: readonly number[]; readonly predicted: readonly number[] };
  readonly words: readonly { readonly word: string; readonly value: number; readonly texts: number }[];
  readonly lengths: readonly { readonly from: number; readonly to: number; readonly texts: number; readonly accuracy: number }[];
  readonly truncated: { readonly texts: number; readonly accuracy: number | null };
  readonly texts: readonly ExampleData[];
}

/** A text as a tokenizer reads it. */
export interface TokenizedData {
  readonly text: string;
  readonly textPair?: string;
  readonly tokens: readonly (TokenData & { readonly unknown?: boolean })[];
  readonly truncated: boolean;
}

/** What every page has: the version that made it, the model's name, where it is known. */
export type PageData = PageBody & { readonly version: string; readonly model?: string };

/** A kind of page. */
export type PageKind = PageBody['kind'];
