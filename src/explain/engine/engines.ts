import { unexpected } from '../../expected.js';
import { buildModel, openSource, requireEncoder, type Model } from '../../models/index.js';
import { builtValue, type ValueName } from './named-value.js';
import { kMostRows, RowEngine } from './row-engine.js';
import { rowProgram, type RowProgram } from './row-program.js';

/** How long the weights of an engine stay when nobody needs them. */
const kIdleMs = 60_000;

interface Kept {
  readonly engine: Promise<RowEngine>;
  readonly capacity: number;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

const kept = new WeakMap<Model, Map<ValueName, Kept>>();

/**
 * Calls `work` with the engine of a value of the model, for sequences of up to `tokens` tokens. Its weights, float32, are read again from the model's
 * files and stay for a minute after the last use.
 *
 * Errors: NO_GRADIENT for a model whose weights are in no files, those of reading them, OUT_OF_MEMORY, those of `work`.
 */
export async function withEngine<T>(model: Model, name: ValueName, tokens: number, work: (engine: RowEngine) => Promise<T>): Promise<T> {
  const engines = kept.get(model) ?? new Map<ValueName, Kept>();
  kept.set(model, engines);
  const known = engines.get(name);
  const entry = known !== undefined && known.capacity >= tokens ? known : open(model, name, Math.max(kMostRows, tokens));
  engines.set(name, entry);
  clearTimeout(entry.timer);
  entry.users++;
  try {
    return await work(await entry.engine);
  } finally {
    if (--entry.users === 0) entry.timer = setTimeout(() => void close(engines, name, entry), kIdleMs).unref();
  }
}

function open(model: Model, name: ValueName, capacity: number): Kept {
  const engine = rowProgramOf(model, name, capacity, (program) => RowEngine.load(program, capacity));
  return { engine, capacity, users: 0, timer: undefined };
}

async function close(engines: Map<ValueName, Kept>, name: ValueName, entry: Kept): Promise<void> {
  if (engines.get(name) === entry) engines.delete(name);
  await entry.engine.then(
    (engine) => engine.dispose(),
    () => undefined,
  );
}

/** Calls `use` with the program of a value while the model's files are open. Errors: as `withEngine`. */
export async function rowProgramOf<T>(
  model: Model,
  name: ValueName,
  capacity: number,
  use: (program: RowProgram) => Promise<T>,
): Promise<T> {
  const { source } = model;
  if (source === undefined) {
    throw unexpected('NO_GRADIENT', 'a model that loadModel has read from files', 'one that training has changed', {
      hint: 'Save it and load it, or use method "occlusion", which needs no gradients.',
    });
  }
  const directory = await openSource(source);
  try {
    if (source.heads) requireEncoder(directory, 'gradients');
    const built = buildModel(directory, source);
    const value = builtValue(built, name);
    if (value === undefined) throw unexpected('NO_GRADIENT', `files with the head ${name}`, 'files without it');
    const used = await use(rowProgram(built.program, value, capacity));
    await directory.verifyUnchanged();
    return used;
  } finally {
    await directory.close();
  }
}
