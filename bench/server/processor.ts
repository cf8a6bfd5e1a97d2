import { readFileSync } from 'node:fs';

const kTicksPerSecond = 100;

/** User and system time of a process and its threads. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / kTicksPerSecond;
}
