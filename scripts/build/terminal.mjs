// Progress of a build. npm hides what prepare prints when npx runs it, so on a terminal it goes to the terminal itself.
import { openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

const terminal = openTerminal();

function openTerminal() {
  if (isatty(2)) return 2;
  if (process.env.CI) return undefined;
  try {
    return openSync('/dev/tty', 'w');
  } catch {
    return undefined;
  }
}

/** A step of the build: rewrites one line on a terminal, prints a line elsewhere. */
export function showStep(text) {
  if (terminal === undefined) process.stderr.write(`bertha: ${text}\n`);
  else writeSync(terminal, `\r\u001b[Kbertha: ${text}`);
}

/** A line that stays. */
export function showLine(text) {
  if (terminal === undefined) process.stderr.write(`bertha: ${text}\n`);
  else writeSync(terminal, `\r\u001b[Kbertha: ${text}\n`);
}
