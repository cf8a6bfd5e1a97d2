import type { Session } from '../runtime/session.js';

/** Bytes of native memory that a model holds. */
export interface MemoryUsage {
  /** What it reads, shared by the `users` models of the process that were loaded alike. */
  readonly weights: number;
  /** Of `weights`, what models that were loaded otherwise hold as well: with another adapter, with other heads. */
  readonly sharedWeights: number;
  /** Idle workspaces of its own. */
  readonly workspaces: number;
  readonly users: number;
}

/** What a session holds. Errors: DISPOSED. */
export function memoryOf(session: Session): MemoryUsage {
  const { weights, sharedWeights = 0, workspaces, users } = session.memoryUsage();
  return { weights, sharedWeights, workspaces, users };
}
