/** Tensors of which some are rows of one: those of the same tensor as that one, whole. */
export function joinRows<T extends RowTensor>(tensors: readonly { readonly tensor: T; readonly rowsOf: RowsOf | undefined }[]): T[] {
  const joined: T[] = [];
  const ranges = new Map<string, { readonly at: number; readonly parts: Part<T>[]; readonly rowsOf: RowsOf }>();
  for (const { tensor, rowsOf } of tensors) {
    if (rowsOf === undefined) {
      joined.push(tensor);
      continue;
    }
    const known = ranges.get(rowsOf.name);
    const part = { tensor, begin: rowsOf.begin };
    if (known !== undefined) known.parts.push(part);
    else {
      ranges.set(rowsOf.name, { at: joined.length, parts: [part], rowsOf });
      joined.push(tensor);
    }
  }
  for (const { at, parts, rowsOf } of ranges.values()) joined[at] = whole(parts, rowsOf);
  return joined;
}

/** Where rows lie in their tensor. */
export interface RowsOf {
  /** As the joined tensor is called. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
}

interface RowTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly read: (...args: never[]) => Promise<Float32Array>;
  readonly write?: (...args: never[]) => Promise<void>;
}

interface Part<T> {
  readonly tensor: T;
  readonly begin: number;
}

function whole<T extends RowTensor>(parts: readonly Part<T>[], { name, shape }: RowsOf): T {
  const length = shape.reduce((product, size) => product * size, 1);
  const columns = length / shape[0]!;
  const read = async (...args: never[]): Promise<Float32Array> => {
    const values = new Float32Array(length);
    for (const { tensor, begin } of parts) values.set(await tensor.read(...args), begin * columns);
    return values;
  };
  const write = async (kind: never, values: Float32Array): Promise<void> => {
    for (const { tensor, begin } of parts) {
      const own = values.subarray(begin * columns, (begin + tensor.shape[0]!) * columns);
      await (tensor.write as ((kind: never, values: Float32Array) => Promise<void>) | undefined)?.(kind, own);
    }
  };
  return { ...parts[0]!.tensor, name, shape, read, ...(parts[0]!.tensor.write && { write }) };
}
