// `npm run bench:vectors -- --only threads`: what two threads do in a second beside what one does, in turns, and what the machine allows:
// two processes of one thread each (this file, forked), which share nothing but its cores, beside one of them alone.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './timing.js';
import { showRecords, showWords, trainerSpeeds } from './trainers.js';

interface Request {
  readonly name: string;
  readonly corpus: string;
  readonly rounds: number;
}

const self = fileURLToPath(import.meta.url);

const heard = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`Expected an answer of a training process, which ended with ${code}`)));
  });

/** Prints a table of the trainers whose name has `only` in it. */
export async function measureTwoThreads(corpus: string, rounds: number, only = ''): Promise<void> {
  process.stdout.write('\n| of wall time | two threads | one | ratio, target 1.85 | two processes beside one |\n|---|---|---|---|---|\n');
  for (const [name, speed] of Object.entries(trainerSpeeds).filter(([key]) => key.includes(only))) {
    const speeds: Readonly<Record<1 | 2, number[]>> = { 1: [], 2: [] };
    await speed(corpus, 2); // warms up
    for (let round = 0; round < rounds; round++) for (const count of [1, 2] as const) speeds[count].push(await speed(corpus, count));
    const ceiling = await processRatio({ name, corpus, rounds });
    const show = name === 'glove' ? showRecords : showWords;
    const ratios = [median(speeds[2]) / median(speeds[1]), ceiling].map((ratio) => `${ratio.toFixed(2)} x`);
    process.stdout.write(`| ${[name, show(median(speeds[2])), show(median(speeds[1])), ...ratios].join(' | ')} |\n`);
  }
}

/** The sum of what two processes do at once, beside one of them alone. */
async function processRatio(request: Request): Promise<number> {
  const children = [0, 1].map(() => fork(self, [JSON.stringify(request)], { execArgv: ['--import', 'tsx'] }));
  await Promise.all(children.map(heard));
  const ask = (child: ChildProcess): Promise<number> => {
    const answer = heard(child) as Promise<number>;
    child.send('go');
    return answer;
  };
  const alone = await ask(children[0]!);
  const together = await Promise.all(children.map(ask));
  for (const child of children) child.removeAllListeners().kill();
  return (together[0]! + together[1]!) / alone;
}

if (process.argv[1] === self) {
  const { name, corpus, rounds } = JSON.parse(process.argv[2]!) as Request;
  const speed = trainerSpeeds[name]!;
  process.on('message', () => {
    void (async () => {
      const speeds: number[] = [];
      for (let round = 0; round < rounds; round++) speeds.push(await speed(corpus, 1));
      process.send!(median(speeds));
    })();
  });
  await speed(corpus, 1); // warms up
  process.send!('ready');
}
