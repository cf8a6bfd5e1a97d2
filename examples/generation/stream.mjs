// Writes a text as it comes, drawn by a seed, until it ends or three seconds have passed.
//   node examples/generation/stream.mjs --model path/to/decoder "The house"
import { parseArgs } from 'node:util';
import { generateStream, loadModel } from 'bertha-encoder';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const options = { doSample: true, topP: 0.9, seed: 7, maxNewTokens: 24, deadlineMs: 3000 };
process.stdout.write(positionals[0]);
for await (const { text, result } of generateStream(model, positionals[0], options)) {
  process.stdout.write(text);
  if (result !== undefined) process.stdout.write(`\n${result.finishReason} after ${result.ids.length} tokens\n`);
}
model.dispose();
