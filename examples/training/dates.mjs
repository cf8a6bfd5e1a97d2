// A translator of dates, from nothing: "the 3rd of May 1987", "Tue, 3 mar 1992", "05/03/1987" → "1987-05-03", character by character.
//   node examples/training/dates.mjs [--updates 400] [--output DIRECTORY]
// An encoder and a decoder of two layers each and 0.97 million numbers learn from pairs that are made here. Prints how many of 500 dates that were in no pair are
// right to the letter, and where the decoder looks while it writes one.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadModel, translate } from 'bertha-encoder';
import { createModel, evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { updates: { type: 'string', default: '400' }, output: { type: 'string' } } });
const updates = Number(values.updates);
const batch = 64;
const temporary = mkdtempSync(join(tmpdir(), 'dates-'));

// Eight ways to write a date.
const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const two = (n) => String(n).padStart(2, '0');
const ordinal = (n) => `${n}${n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
const ways = [
  ({ day, month, year }) => `the ${ordinal(day)} of ${months[month]} ${year}`,
  ({ day, month, year, weekday }) => `${weekdays[weekday].slice(0, 3)}, ${day} ${months[month].slice(0, 3).toLowerCase()} ${year}`,
  ({ day, month, year }) => `${two(month + 1)}/${two(day)}/${year}`,
  ({ day, month, year }) => `${day}.${month + 1}.${year}`,
  ({ day, month, year }) => `${months[month]} ${day}, ${year}`,
  ({ day, month, year, weekday }) => `${weekdays[weekday]}, ${months[month]} ${ordinal(day)}, ${year}`,
  ({ day, month, year }) => `${two(day)}-${months[month].slice(0, 3).toUpperCase()}-${year}`,
  ({ day, month, year }) => `${day} ${months[month].toLowerCase()} ${year}`,
];

// Dates of two centuries, drawn by a generator with a seed; the first 500 are kept for the test.
let state = 7;
const draw = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const dayMs = 86400000;
const begin = Date.UTC(1900, 0, 1) / dayMs;
const days = Math.round(Date.UTC(2100, 0, 1) / dayMs - begin);
function pairOf(number) {
  const date = new Date((begin + number) * dayMs);
  const parts = { day: date.getUTCDate(), month: date.getUTCMonth(), year: date.getUTCFullYear(), weekday: date.getUTCDay() };
  return { source: ways[draw(ways.length)](parts), target: date.toISOString().slice(0, 10) };
}
const unseen = new Set();
while (unseen.size < 500) unseen.add(draw(days));
const testRows = [...unseen].map(pairOf);
const trainRows = [];
while (trainRows.length < updates * batch) {
  const number = draw(days);
  if (!unseen.has(number)) trainRows.push(pairOf(number));
}

// A vocabulary of characters.
const characters = [
  ...new Set(ways.flatMap((way) => months.flatMap((_, month) => [...way({ day: 3, month, year: 1, weekday: month % 7 })]))),
];
const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...new Set([...'0123456789', ...characters, ...'-'])];
const special = (id) => ({
  id,
  content: vocabulary[id],
  special: true,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
});
const piece = (id) => ({ SpecialToken: { id: vocabulary[id], type_id: 0 } });
const whole = { Sequence: { id: 'A', type_id: 0 } };
const tokens = Object.fromEntries([2, 3].map((id) => [vocabulary[id], { id: vocabulary[id], ids: [id], tokens: [vocabulary[id]] }]));
const tokenizer = {
  version: '1.0',
  added_tokens: [0, 1, 2, 3].map(special),
  pre_tokenizer: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
  post_processor: {
    type: 'TemplateProcessing',
    single: [piece(2), whole, piece(3)],
    pair: [piece(2), whole, piece(3)],
    special_tokens: tokens,
  },
  decoder: { type: 'Fuse' },
  model: { type: 'WordLevel', vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), unk_token: '[UNK]' },
};
const names = { pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]' };
const files = join(temporary, 'tokenizer');
mkdirSync(files);
writeFileSync(join(files, 'tokenizer.json'), JSON.stringify(tokenizer));
writeFileSync(
  join(files, 'tokenizer_config.json'),
  JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', ...names, model_max_length: 48 }),
);

// Two layers on either side, nothing dropped.
const half = {
  hidden_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 512,
  max_position_embeddings: 48,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
};
const start = join(temporary, 'start');
await createModel(start, { config: { model_type: 'encoder-decoder', encoder: half, decoder: half }, tokenizer: files });
const began = performance.now();
const { model } = await train(start, trainRows, {
  task: 'translation',
  maxSteps: updates,
  perDeviceTrainBatchSize: batch,
  learningRate: 1e-3,
  warmupSteps: Math.min(100, Math.floor(updates / 4)),
  loggingSteps: 50,
  saveStrategy: 'no',
  outputDir: values.output ?? join(temporary, 'dates'), // the trained model is saved here
});
const seconds = ((performance.now() - began) / 1000).toFixed(0);
const { metrics } = await evaluateModel(model, 'translation', testRows, { generation: { numBeams: 1, maxNewTokens: 12 } });
console.log(`${updates} updates in ${seconds} s: ${(100 * metrics.exact_match).toFixed(1)} % of ${testRows.length} unseen dates are right`);
model.dispose();

// Where it looks: the cross-attention of the last layer, its heads' mean, for each character that it writes.
const loaded = await loadModel(values.output ?? join(temporary, 'dates'));
const text = 'Tuesday, March 3rd, 1992';
const written = (await translate(loaded, text)).text;
const source = loaded.tokenizer.encode(text);
const target = loaded.tokenizer.encode(written).ids.slice(0, -1); // [CLS] 1 9 9 2 …: what the decoder reads
const { crossAttentions } = await loaded.forward(source, { decoderInputIds: Int32Array.from(target), crossAttentions: true });
const { data, dims } = crossAttentions.at(-1);
const [heads, rows, columns] = dims;
console.log(`\n${text} → ${written}\n\n    ${source.tokens.map((token) => (token.length > 1 ? '·' : token)).join('')}`);
for (let row = 0; row + 1 < rows; row++) {
  const weights = Array.from({ length: columns }, (_, column) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += data[(head * rows + row) * columns + column];
    return sum / heads;
  });
  console.log(`  ${written[row]} ${weights.map((weight) => ' ░▒▓█'[Math.min(4, Math.floor(weight * 8))]).join('')}`);
}
loaded.dispose();
rmSync(temporary, { recursive: true });
