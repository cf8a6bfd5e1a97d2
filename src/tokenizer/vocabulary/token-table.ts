/** Tokens by their ids, and ids by their tokens. */
export interface TokenTable {
  /** Tokens, each id one. */
  readonly size: number;
  /** One more than the largest id. */
  readonly idCount: number;
  /** The id of a token; of several the one that text becomes. */
  get(token: string): number | undefined;
  has(token: string): boolean;
  /** The token of an id. */
  token(id: number): string | undefined;
  hasId(id: number): boolean;
  /** Calls `visit` for each token, units[from..from + length), and its id. */
  forEach(visit: (units: Uint16Array, from: number, length: number, id: number) => void): void;
  [Symbol.iterator](): Iterator<[string, number]>;
}
