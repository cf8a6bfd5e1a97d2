// What grapheme clusters are made of, as the reference sees it: asked through a Precompiled normalizer, which shows where clusters end.
import tokenizers from 'tokenizers';
import { makeCharsmap } from '../../test/support/charsmap.js';

/** Sets of code points by their part in UAX 29's rules for extended grapheme clusters, in the order of the table CLUSTER_CLASSES. */
export interface ClusterClasses {
  readonly control: ReadonlySet<number>;
  readonly extend: ReadonlySet<number>;
  readonly spacingMark: ReadonlySet<number>;
  readonly prepend: ReadonlySet<number>;
  /** Hangul jamo. */
  readonly leading: ReadonlySet<number>;
  readonly vowel: ReadonlySet<number>;
  readonly trailing: ReadonlySet<number>;
  readonly pictographic: ReadonlySet<number>;
  /** Of Indic conjuncts. */
  readonly consonant: ReadonlySet<number>;
  readonly linker: ReadonlySet<number>;
}

const LINES = 512;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ZERO_WIDTH_JOINER = 0x200d;
const ZERO_WIDTH_NON_JOINER = 0x200c;
/** A mark of two bytes: with a character of at most three before it, it makes a short cluster. */
const MARK = '\u0308';

/** Writes an X for a cluster of at most five bytes, else an X for each of its characters; line feeds stay. */
function makeProbe(): ReturnType<typeof tokenizers.precompiled> {
  const leads = Array.from({ length: 0xf5 }, (_, byte) => byte).filter(
    (byte) => byte > 0 && byte !== LINE_FEED && (byte < 0x80 || byte >= 0xc2),
  );
  return tokenizers.precompiled([...makeCharsmap(leads.map((byte) => [Uint8Array.of(byte), 'X'] as const))]);
}

const normalizer = makeProbe();

/** Those of `codePoints` for which the reference makes `count` X of what `write` makes of them. */
function probe(codePoints: Iterable<number>, write: (character: string) => string, count: number): Set<number> {
  const all = [...codePoints];
  const found = new Set<number>();
  for (let from = 0; from < all.length; from += LINES) {
    const block = all.slice(from, from + LINES);
    const lines = normalizer.normalizeString(block.map((c) => write(String.fromCodePoint(c))).join('\n')).split('\n');
    if (lines.length !== block.length) throw new Error('a line feed did not survive the normalizer');
    block.forEach((c, k) => {
      if ((lines[k] as string).length === count) found.add(c);
    });
  }
  return found;
}

/** Asks the reference. What is outside the planes that hold scripts, symbols and formats is only asked whether it joins its neighbours. */
export function deriveClusterClasses(): ClusterClasses {
  const range = (start: number, end: number) =>
    Array.from({ length: end - start }, (_, k) => start + k).filter(
      (c) => c !== LINE_FEED && c !== CARRIAGE_RETURN && (c < 0xd800 || c >= 0xe000),
    );
  const assigned = [...range(1, 0x20000), ...range(0xe0000, 0xe1000)];
  const joined = probe(range(1, 0x110000), (c) => `a${c}a`, 2);
  const following = probe(joined, (c) => `a${c}`, 1);
  const extend = probe(following, (c) => `©${c}\u200d©${MARK}`, 5);
  const linker = probe(extend, (c) => `क${c}क${MARK}`, 4);
  const conjoining = probe(
    [...extend].filter((c) => !linker.has(c)),
    (c) => `क${c}्क${MARK}`,
    5,
  );
  const others = [...extend].filter((c) => !linker.has(c) && !conjoining.has(c));
  if (others.join() !== String(ZERO_WIDTH_NON_JOINER)) throw new Error('Expected every mark but one to be allowed in Indic conjuncts.');
  const spacingMark = new Set([...following].filter((c) => !extend.has(c) && c !== ZERO_WIDTH_JOINER));
  const prepend = new Set([...joined].filter((c) => !following.has(c)));
  const isJamo = (c: number) => !prepend.has(c) && (c < 0xac00 || c >= 0xd7a4);
  const beforeVowel = probe(assigned.filter(isJamo), (c) => `${c}\u1161${MARK}`, 3);
  const beforeTrailing = probe(assigned.filter(isJamo), (c) => `${c}\u11a8${MARK}`, 3);
  return {
    control: probe(assigned, (c) => `${c}${MARK}${MARK}`, 2),
    extend,
    spacingMark,
    prepend,
    leading: new Set([...beforeVowel].filter((c) => !beforeTrailing.has(c))),
    vowel: new Set([...beforeVowel].filter((c) => beforeTrailing.has(c))),
    trailing: new Set([...beforeTrailing].filter((c) => !beforeVowel.has(c))),
    pictographic: probe(assigned, (c) => `${c}\u200d©${MARK}`, 4),
    consonant: probe(assigned, (c) => `${c}्क${MARK}`, 4),
    linker,
  };
}
