import { MarkedText } from '../parts/marked-text.js';
import type { Words } from '../words.js';

/** A token as `/tokenize` tells of it: its place in bytes of UTF-8, or null where it stands for nothing in the text. */
export interface TokenPlace {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
  readonly start: number | null;
  readonly stop: number | null;
}

/** The tokens in the text, and as a table with their ids and offsets. */
export function TokenTable({
  text,
  tokens,
  words,
}: {
  readonly text: string;
  readonly tokens: readonly TokenPlace[];
  readonly words: Words;
}) {
  const unitOf = unitsOfBytes(text);
  const placed = tokens.flatMap(({ id, start, stop }, i) =>
    start === null || stop === null ? [] : [{ start: unitOf(start), end: unitOf(stop), label: String(i), id }],
  );
  return (
    <>
      <MarkedText text={text} spans={placed} />
      <p>
        {tokens.length} {words.tokensRead}
      </p>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{words.token}</th>
            <th scope="col">{words.id}</th>
            <th scope="col">{words.start}</th>
            <th scope="col">{words.end}</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token, i) => (
            <tr key={i}>
              <td>{i}</td>
              <th scope="row">
                {token.text} {token.special && <small>({words.special})</small>}
              </th>
              <td>{token.id}</td>
              <td>{token.start === null ? '' : unitOf(token.start)}</td>
              <td>{token.stop === null ? '' : unitOf(token.stop)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Places in bytes of UTF-8 as places in the string. */
function unitsOfBytes(text: string): (bytes: number) => number {
  const bytes = new TextEncoder().encode(text);
  return (place) => new TextDecoder().decode(bytes.subarray(0, place)).length;
}
