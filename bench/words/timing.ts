export interface Time {
  readonly seconds: number;
  readonly cpu: number;
  readonly words?: number;
}

/** Seconds of a call, and of the processor in it. */
export async function timed(work: () => Promise<unknown>): Promise<Time> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - begin) / 1000, cpu: (user + system) / 1e6 };
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}
