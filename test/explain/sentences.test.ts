import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { explain, render } from '../../src/explain/index.js';
import { loadModel, type Model } from '../../src/index.js';
import { editJson, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('explanations of long texts');
const kPositions = 300;

/** The planted classifier with more positions than it has learned: they begin again. */
async function longModel(): Promise<Model> {
  const directory = temporaryFolder(fileURLToPath(new URL('../golden-explain/planted', import.meta.url)));
  const file = join(directory, 'model.safetensors');
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, { shape: number[]; data_offsets: [number, number] }>;
  const positions = header['bert.embeddings.position_embeddings.weight']!;
  const [from, to] = positions.data_offsets;
  const own = bytes.subarray(start + from, start + to);
  const width = positions.shape[1]!;
  const rows = Buffer.concat(Array.from({ length: kPositions }, (_, i) => own.subarray((i % 32) * 4 * width, ((i % 32) + 1) * 4 * width)));
  positions.shape = [kPositions, width];
  positions.data_offsets = [bytes.length - start, bytes.length - start + rows.length];
  const rest = Buffer.concat([bytes.subarray(start, start + from), bytes.subarray(start + to), rows]);
  for (const [name, { data_offsets: offsets }] of Object.entries(header)) {
    if (name !== '__metadata__' && offsets[0] > from) offsets.forEach((_, i) => (offsets[i]! -= to - from));
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([length, text, rest]));
  editJson(join(directory, 'config.json'), { max_position_embeddings: kPositions });
  editJson(join(directory, 'tokenizer_config.json'), { model_max_length: kPositions });
  return loadModel(directory);
}

t('leave out sentences, then the tokens of the three strongest; words where they are asked for', async () => {
  const model = await longModel();
  const text = 'gos ros duk rim! '.repeat(70);
  const { attributions, tokens } = await explain(model, text, { method: 'occlusion' });
  assert.is(tokens.length, kPositions);
  assert.is(attributions.length, Math.ceil((kPositions - 2) / 5));
  const strongest = attributions.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 3);
  const isIn = ({ start }: { readonly start: number }): boolean => strongest.some((unit) => unit.start <= start && start < unit.end);
  const valued = tokens.filter(({ value }) => value !== undefined);
  assert.equal(
    valued,
    tokens.filter((token) => !token.special && isIn(token)),
  );
  const byToken = await explain(model, text, { method: 'occlusion', units: 'tokens' });
  for (const [i, { value }] of tokens.entries()) if (value !== undefined) assert.is(value, byToken.tokens[i]!.value);
  // Inside a sentence Shapley values add up to what the sentence's absence costs, for all others are there.
  const sampled = await explain(model, text, { method: 'shapley', pairs: 2 });
  const inside = sampled.attributions.map(({ start, end }) =>
    sampled.tokens.filter((token) => !token.special && token.start >= start && token.start < end).map(({ value }) => value),
  );
  assert.is(inside.filter((values) => values.every((value) => value !== undefined)).length, 3);
  inside.forEach((values, i) => {
    if (values.some((value) => value === undefined)) return;
    const sum = values.reduce((all, value) => all! + value!, 0)!;
    assert.ok(Math.abs(sum - attributions[i]!.value) < 1e-5, `${sum}, expected ${attributions[i]!.value}`);
  });
  assert.match(render(sampled, 'text', { colour: false, language: 'en' }), '\nTokens of the strongest sentences\n');
  const asked = await explain(model, text, { method: 'occlusion', units: 'sentences' });
  assert.ok(asked.tokens.every(({ value }) => value === undefined));
  const words = await explain(model, text, { method: 'occlusion', units: 'words' });
  assert.ok(words.attributions.length > 250);
  assert.not.match(render(words, 'text', { colour: false, language: 'en' }), 'Tokens of the strongest sentences');
  model.dispose();
});

t.run();
