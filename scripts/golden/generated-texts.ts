import type { SearchEngine } from '../../src/generation/engine.js';
import { generateBy, type GeneratedText } from '../../src/generation/generate.js';
import { settingTable } from '../../src/generation/setting-table.js';
import type { Model } from '../../src/models/index.js';

/** One row of `generation` in cases.json: what is searched for, and the texts that the reference found. */
export interface GenerationRow {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly text_index: number;
  readonly prompt_ids: readonly number[];
  /** Absent where the model is a decoder alone. */
  readonly input_ids?: readonly number[];
  /** The row has the model's own settings. */
  readonly from?: string;
  readonly uniforms?: readonly number[];
  readonly ids?: readonly number[];
  readonly log_probabilities?: readonly number[];
  readonly text?: string;
  readonly sequences?: readonly ExpectedText[];
}

interface ExpectedText {
  readonly ids: readonly number[];
  readonly text: string;
  readonly score?: number;
  readonly beams?: readonly number[];
  readonly log_probabilities?: readonly number[];
}

/** What differs in a row's texts, in words; nothing where they are right. Scores may differ by 1e-5. */
export async function compareTexts(model: Model, engine: SearchEngine, row: GenerationRow, texts: readonly string[]): Promise<string[]> {
  // As ids: the reference reads whole texts, also beyond the tokenizer's model_max_length.
  const input = { ids: Int32Array.from(row.input_ids ?? row.prompt_ids) };
  const made = (await generateBy(engine, 'generate', model, input, optionsOf(row))) as GeneratedText[];
  const expected = row.sequences ?? [row as ExpectedText];
  const name = JSON.stringify(row.settings);
  if (made.length !== expected.length) return [`${name}: expected ${expected.length} texts but received ${made.length}`];
  const encoded = model.tokenizer.encode(texts[row.text_index]!, { truncation: false }).ids;
  if (row.input_ids !== undefined && String(encoded) !== String(row.input_ids))
    return [`${name}: expected ids ${String(row.input_ids)} for the text but received ${String(encoded)}`];
  return expected.flatMap((each, i) => differences(made[i]!, each).map((what) => `${name}, text ${i}: ${what}`));
}

/** The row's settings alone, or the files' where it has theirs. */
function optionsOf({ settings, from, input_ids: source, prompt_ids: prompt, uniforms }: GenerationRow): Record<string, unknown> {
  // What the files say of a length does not count a prompt.
  if (from !== undefined) return source === undefined ? lengthsOf(settings) : {};
  const entries = Object.entries(settingTable).map(([name, { python }]) => [name, settings[python] ?? null]);
  const options = Object.fromEntries(entries) as Record<string, unknown>;
  for (const name of ['decoderStartTokenId', 'bosTokenId', 'padTokenId', 'eosTokenId']) delete options[name];
  if (settings['eos'] !== undefined) options['eosTokenId'] = settings['eos'];
  if (source !== undefined) options['decoderInputIds'] = prompt;
  return { ...options, ...(uniforms && { uniforms }) };
}

function lengthsOf({ max_length: maxLength, min_length: minLength }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { maxLength, ...(minLength !== undefined && { minLength }) };
}

function differences(made: GeneratedText, expected: ExpectedText): string[] {
  const found: string[] = [];
  const ids = [...made.promptIds, ...made.ids];
  if (String(ids) !== String(expected.ids)) found.push(`expected ids ${String(expected.ids)} but received ${String(ids)}`);
  if (made.text !== expected.text) found.push(`expected ${JSON.stringify(expected.text)} but received ${JSON.stringify(made.text)}`);
  if (expected.beams !== undefined && String(expected.beams) !== String(made.beams))
    found.push(`expected beams ${String(expected.beams)} but received ${String(made.beams)}`);
  if (expected.score !== undefined && !isNear(made.score, expected.score))
    found.push(`expected score ${expected.score} but received ${made.score}`);
  expected.log_probabilities?.forEach((x, i) => {
    const got = made.logProbabilities[i] ?? NaN;
    if (!isNear(got, x)) found.push(`expected ${x} for the log-probability of id ${i} but received ${got}`);
  });
  return found;
}

function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected));
}
