import { fileURLToPath } from 'node:url';
import { LineProcess } from '../line-process.js';
import { miniLm } from '../models.js';

interface Side {
  readonly name: string;
  readonly process: LineProcess;
  readonly request: object;
  readonly seconds: number[];
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function begin(name: string, command: string, args: readonly string[], load: object, request: object): Promise<Side | undefined> {
  const process = new LineProcess(command, args);
  try {
    const { name: own, version } = await process.ask(load);
    await process.ask(request);
    stop(process);
    return { name: `${String(own)} ${String(version)}: ${name}`, process, request, seconds: [] };
  } catch (error) {
    process.stop();
    console.log(`${name}: not measured, ${(error as Error).message}`);
    return undefined;
  }
}

const stop = (side: LineProcess): boolean => process.kill(side.pid, 'SIGSTOP');
const go = (side: LineProcess): boolean => process.kill(side.pid, 'SIGCONT');
const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1]!;
const ours = (script: string): readonly string[] => ['--import', 'tsx', here(script)];

/** What is measured, and how often. */
interface Measured {
  readonly python: string | undefined;
  readonly threads: number;
  readonly tokens: number;
  readonly steps: number;
  readonly rounds: number;
}

/**
 * Each side is a process of its own, stopped while another has its turn. The model is MiniLM with a head of two labels; explain's engine gives gradients of
 * words alone, a training step those of all weights, and updates them.
 */
export async function measureGradients({ python, threads, tokens, steps, rounds }: Measured): Promise<void> {
  const { directory } = miniLm(undefined);
  const load = { do: 'load', directory, task: 'text-classification', precision: 'fp32', threads, tokens };
  const text = [101, ...Array.from({ length: tokens - 2 }, (_, i) => 1000 + ((7 * i) % 20000)), 102];
  const explaining = { do: 'explain', tokens, steps, ids: text };
  console.log(`MiniLM, ${tokens} tokens x ${steps} steps, ${threads} ${threads === 1 ? 'thread' : 'threads'}, fp32`);
  const sides: Side[] = [];
  const wanted = [
    ['integrated gradients', process.execPath, ours('host.ts'), explaining],
    ['training step', process.execPath, ours('../training/host.ts'), { do: 'step', batches: [Array.from({ length: steps }, () => text)] }],
    ['forward', process.execPath, ours('host.ts'), { ...explaining, do: 'forward' }],
    ...(python === undefined
      ? []
      : ([
          ['integrated gradients', python, [here('../python/explain.py')], explaining],
          ["captum's integrated gradients", python, [here('../python/explain.py')], { ...explaining, do: 'captum' }],
        ] as const)),
  ] as const;
  for (const [name, command, args, request] of wanted) {
    const side = await begin(name, command, args, load, request);
    if (side !== undefined) sides.push(side);
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < sides.length; i++) {
      const { process: side, request, seconds } = sides[(round + i) % sides.length]!;
      go(side);
      seconds.push((await side.ask(request))['seconds'] as number);
      stop(side);
    }
  }
  const rateOf = ({ seconds }: Side): number => (tokens * steps) / median(seconds);
  for (const side of sides) {
    const middle = median(side.seconds);
    console.log(
      `  ${side.name.padEnd(56)} ${middle.toFixed(3)} s (min ${Math.min(...side.seconds).toFixed(3)})  ${rateOf(side).toFixed(0)} tokens/s`,
    );
  }
  const [explained, ...others] = sides;
  if (explained?.name.startsWith('Bertha') === true) {
    const line = (name: string, side: Side | undefined, say: (side: Side) => string): void => {
      if (side !== undefined) console.log(`${name}: ${say(side)}`);
    };
    const find = (part: string, by: string): Side | undefined => others.find(({ name }) => name.startsWith(by) && name.endsWith(part));
    const times = (side: Side): string => `${(median(side.seconds) / median(explained.seconds)).toFixed(2)} times its tokens/s`;
    line(
      'share of the training engine',
      find('training step', 'Bertha'),
      (side) => `${((100 * rateOf(explained)) / rateOf(side)).toFixed(0)} % of its tokens/s (target: 60 %)`,
    );
    line(
      'beside a forward of as many tokens',
      find('forward', 'Bertha'),
      (side) => `${(median(explained.seconds) / median(side.seconds)).toFixed(2)} times its time (target: 2.3)`,
    );
    line('beside PyTorch', find(': integrated gradients', 'PyTorch'), times);
    line('beside captum', find("captum's integrated gradients", 'PyTorch'), times);
  }
  for (const { process: side } of sides) side.stop();
}
