/** UTF-16 units after which a line without an end is cut. */
const kLongestPiece = 1 << 20;

/**
 * Cuts text that comes in pieces into lines, and lines above a million characters into pieces, at blanks where there are any: a file
 * without line ends need not fit into memory. Lines without a word are left out.
 */
export class LineCutter {
  #open = '';

  /** The lines that this piece of text has completed. */
  add(text: string): string[] {
    const lines = text.split('\n');
    lines[0] = this.#open + lines[0]!;
    this.#open = lines.pop()!;
    const whole = lines.flatMap((line) => piecesOf(line.endsWith('\r') ? line.slice(0, -1) : line));
    if (this.#open.length > kLongestPiece) {
      const pieces = piecesOf(this.#open);
      this.#open = pieces.pop()!;
      whole.push(...pieces);
    }
    return whole.filter((line) => line.trim() !== '');
  }

  /** The line that no line end has completed. */
  end(): string[] {
    return this.add('\n');
  }
}

function piecesOf(line: string): string[] {
  const pieces: string[] = [];
  let begin = 0;
  while (line.length - begin > kLongestPiece) {
    const end = cutBefore(line, begin, begin + kLongestPiece);
    pieces.push(line.slice(begin, end));
    begin = end;
  }
  pieces.push(line.slice(begin));
  return pieces;
}

/** Where to cut: behind the last blank, else at `end`, but not in the middle of a character. */
function cutBefore(line: string, begin: number, end: number): number {
  const blank = line.lastIndexOf(' ', end - 1);
  if (blank >= begin) return blank + 1;
  const isLow = (line.charCodeAt(end) & 0xfc00) === 0xdc00;
  return isLow ? end - 1 : end;
}
