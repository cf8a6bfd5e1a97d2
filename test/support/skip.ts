/**
 * Counts the running test as skipped and says why on stderr; the runner sums these lines up. Leave the test with it:
 * `if (!hasDevice) return skip('no CUDA device');`. `reason` names what is missing, in one line.
 */
export function skip(reason: string): void {
  process.stderr.write(`${skipMark}${reason.replaceAll('\n', ' ')}\n`);
}

/** What a line on stderr starts with when it reports a skipped test. */
export const skipMark = '# skipped: ';
