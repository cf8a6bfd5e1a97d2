import type { NativeOp } from '../../runtime/native.js';

/** Names of the fields by which ops read values. */
const kReads = ['input', 'residual', 'query', 'key', 'value', 'contentToPosition', 'positionToContent', 'logits', 'embeddings'] as const;

/** The ops from `firstLoss` on, and those before them of which they need the output. */
export function neededOps(ops: readonly NativeOp[], firstLoss: number): NativeOp[] {
  const isNeeded = new Set<number>();
  const kept: NativeOp[] = [];
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    if (i < firstLoss && !isNeeded.has(op.output)) continue;
    const fields = op as unknown as Readonly<Record<string, unknown>>;
    for (const name of kReads) if (typeof fields[name] === 'number') isNeeded.add(fields[name]);
    kept.push(op);
  }
  return kept.reverse();
}
