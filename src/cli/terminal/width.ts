export { shorten, visible } from '../../one-line.js';

const kNarrowest = 40;
/** Where there is no terminal. */
const kPiped = 100;

/** Columns of the terminal that standard output goes to; 100 where there is none. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? Math.max(kNarrowest, process.stdout.columns) : kPiped;
}
