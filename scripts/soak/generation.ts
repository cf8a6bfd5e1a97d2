// `npm run soak:generation [-- --requests 10000 --seed 1]`: random texts, greedy, with beams and draws, by models that are loaded and disposed of meanwhile. Some
// are aborted, some have a deadline, and all share little memory of state. Each must end as it may, and none of that memory may stay. Ends with 1 otherwise.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadAddon } from '../../src/runtime/addon.js';
import { setMaxStateBytes } from '../../src/runtime/generation/max-state-bytes.js';
import type { Session } from '../../src/runtime/session.js';
import { Random } from '../../test/support/random.js';
import { neutralSettings } from '../../test/support/search.js';
import { SmallDecoder } from '../../test/support/small-decoder.js';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } } });
const requests = Number(values.requests);
const kAtOnce = 48;
const kTextsOfSession = 250;

const random = new Random(Number(values.seed));
const model = new SmallDecoder({ vocabSize: 307, width: 24, heads: 3, inner: 40, encoderLayers: 1, decoderLayers: 2 });
const ends = new Map<string, number>();
const note = (end: string): void => void ends.set(end, (ends.get(end) ?? 0) + 1);

let session = await model.load({ threads: 2 });
let begun = 0;

/** Every so many texts another session, while the old one's texts go on. */
async function renew(): Promise<void> {
  const old = session;
  session = await model.load({ threads: 2 });
  old.dispose();
}

async function generateOne(): Promise<void> {
  const kind = random.integer(0, 3);
  const controller = random.integer(0, 3) === 0 ? new AbortController() : undefined;
  const settings = {
    ...neutralSettings,
    maxLength: random.integer(2, 60),
    eosTokenId: [3],
    ...(kind === 1 && { numBeams: random.integer(2, 6), renormalizeLogits: true, badWordsIds: [[5]] }),
    ...(kind === 2 && { doSample: true, seed: begun, topP: 0.8, numReturnSequences: random.integer(1, 4) }),
    ...(kind === 3 && { numBeams: 4, noRepeatNgramSize: 2, repetitionPenalty: 1.2 }),
  };
  const length = random.integer(1, 60);
  const text = {
    logits: model.logits.id,
    settings,
    prompt: random.integers(random.integer(1, settings.maxLength - 1), 0, 306),
    source: { inputIds: random.integers(length, 0, 306), cuSeqlens: Int32Array.of(0, length) },
    ...(random.integer(0, 4) === 0 && { deadlineMs: random.integer(1, 8) }),
  };
  if (controller !== undefined) void sleep(random.integer(0, 6)).then(() => controller.abort());
  const priority = random.integer(0, 1) === 0 ? 'bulk' : 'interactive';
  try {
    const { sequences } = await sessionNow().generate(text, { priority, ...(controller && { signal: controller.signal }) });
    for (const { finish } of sequences) note(finish ?? 'unfinished');
  } catch (error) {
    const { code, name } = error as { code?: string; name?: string };
    const what = controller?.signal.aborted === true && name === 'AbortError' ? 'aborted' : (code ?? String(error));
    if (!['aborted', 'DEADLINE', 'DISPOSED'].includes(what)) process.exitCode = 1;
    note(what);
  }
}

const sessionNow = (): Session => session;

async function work(): Promise<void> {
  while (begun < requests) {
    begun++;
    if (begun % kTextsOfSession === 0) await renew();
    await generateOne();
  }
}

setMaxStateBytes(500_000);
await Promise.all(Array.from({ length: kAtOnce }, work));
session.dispose();
const { stateBytes } = loadAddon().stats().generation;
if (stateBytes !== 0) process.exitCode = 1;
const counts = [...ends].sort(([a], [b]) => a.localeCompare(b)).map(([end, count]) => `${end} ${count}`);
process.stdout.write(`${requests} requests; texts: ${counts.join(', ')}; bytes of state left: ${stateBytes}\n`);
process.stdout.write(process.exitCode === 1 ? 'FAILED\n' : 'ok\n');
