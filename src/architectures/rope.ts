import { JsonFields, type JsonObject } from '../checkpoint/json-fields.js';

/** How queries and keys turn with the position. */
export interface Rope {
  readonly theta: number;
  /** Of `ntk`: all angles are stretched by it, whatever the length; 1 without. */
  readonly factor: number;
  /** The base depends on the length of longer inputs than the model was trained on. */
  readonly isDynamic: boolean;
}

/** How a family's config.json tells its rope. */
export interface RopeFields {
  /** The field of the base before transformers 5. */
  readonly thetaField: string;
  readonly fallback: number;
  /** Kinds of scaling that can be computed. */
  readonly types: readonly ('ntk' | 'dynamic')[];
  /** The entry of `rope_parameters` that is read; absent where it has none. */
  readonly section?: string;
}

/**
 * Reads `rope_parameters` of transformers 5, or the base and `rope_scaling` of older files.
 *
 * Errors: CONFIG (malformed, or the two disagree), CONFIG_UNSUPPORTED (another kind of scaling).
 */
export function readRope(raw: JsonObject, { thetaField, fallback, types, section }: RopeFields): Rope {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  const all = partOf(fields, 'rope_parameters', 'config.json');
  const parameters = section === undefined ? all : all && partOf(all, section, '"rope_parameters" of config.json');
  const scaling = partOf(fields, 'rope_scaling', 'config.json');
  const named = parameters && readTheta(parameters, 'rope_theta');
  const old = readTheta(fields, thetaField);
  if (named !== undefined && old !== undefined && named !== old) {
    throw fields.error(thetaField, `${named}, as "rope_parameters" has it,`, old);
  }
  const kinds = [parameters, scaling].flatMap((each) => each ?? []).map((each) => readScaling(each, types));
  const [first, second] = kinds;
  if (first !== undefined && second !== undefined && (first.type !== second.type || first.factor !== second.factor)) {
    throw fields.error('rope_scaling', 'the same as "rope_parameters" has', `${second.type} ${second.factor}`);
  }
  const { type, factor } = first ?? { type: 'default', factor: 1 };
  return { theta: named ?? old ?? fallback, factor: type === 'ntk' ? factor : 1, isDynamic: type === 'dynamic' };
}

function partOf(fields: JsonFields, key: string, file: string): JsonFields | undefined {
  const part = fields.object(key);
  return part && new JsonFields(part, `"${key}" of ${file}`, 'CONFIG');
}

function readTheta(fields: JsonFields, key: string): number | undefined {
  const theta = fields.get(key);
  if (theta === undefined || (typeof theta === 'number' && Number.isFinite(theta) && theta > 1)) return theta;
  throw fields.error(key, 'a number above 1', theta);
}

function readScaling(fields: JsonFields, types: RopeFields['types']): { readonly type: string; readonly factor: number } {
  const [key = 'rope_type'] = ['rope_type', 'type'].filter((each) => fields.has(each));
  const type = fields.string(key) ?? 'default';
  const known: readonly string[] = ['default', ...types];
  if (!known.includes(type)) throw fields.error(key, known.map((each) => JSON.stringify(each)).join(' or '), type, 'CONFIG_UNSUPPORTED');
  if (type === 'default') return { type, factor: 1 };
  const factor = fields.get('factor');
  if (typeof factor !== 'number' || !(factor >= 1 && factor < 1e6)) throw fields.error('factor', 'a number from 1', factor);
  return { type, factor };
}

/** [headDim / 2]: angles for each position, in radians, rounded to float32 as transformers rounds them. */
export function inverseFrequencies({ theta, factor }: Rope, headDim: number): number[] {
  const base = theta * factor;
  const stretch = Math.fround(factor ** (2 / headDim));
  return Array.from({ length: headDim / 2 }, (_, i) => {
    const power = Math.fround(Math.fround(base) ** Math.fround((2 * i) / headDim));
    return Math.fround(Math.fround(1 / power) / stretch);
  });
}
