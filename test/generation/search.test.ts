import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { SearchSettings } from '../../src/generation/settings.js';
import { searchOps } from '../support/devices.js';
import { philox } from '../support/philox.js';
import { Random } from '../support/random.js';
import { neutralSettings, openSearch, runSearch } from '../support/search.js';
import { suite } from '../support/suite.js';

const t = suite('search');

type Kind = 'greedy' | 'beams' | 'sampled';

interface Case {
  readonly kind: Kind;
  readonly table: number;
  readonly rows: number;
  readonly vocab: number;
  readonly holes: boolean;
  readonly prompt: readonly number[];
  readonly source: readonly number[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly sequences: readonly {
    readonly ids: readonly number[];
    readonly log_probabilities?: readonly number[];
    readonly beams?: readonly number[];
    readonly score?: number;
  }[];
}

/** Made by make_search_cases.py beside it. */
const { cases } = JSON.parse(readFileSync(new URL('../golden-generation/search.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Logits of a case by ids: rows of a table of random numbers, as make_search_cases.py says. */
function tableOf({ table, rows, vocab, holes }: Case): (ids: readonly number[]) => Float32Array {
  const random = new Random(table);
  const numbers = Float32Array.from({ length: rows * vocab }, () => {
    const x = Math.floor(random.next() * 2048 - 1024) / 256;
    return holes && random.next() < 1 / 16 ? -Infinity : x;
  });
  return (ids) => {
    const row = (7 * ids.at(-1)! + ids.length) % rows;
    return numbers.subarray(row * vocab, (row + 1) * vocab);
  };
}

function settingsOf({ settings }: Case): SearchSettings {
  const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const { eos, forcedEosTokenId, ...rest } = Object.fromEntries(Object.entries(settings).map(([key, value]) => [camel(key), value]));
  return {
    ...neutralSettings,
    ...rest,
    eosTokenId: eos as number[],
    forcedEosTokenId: forcedEosTokenId === undefined ? [] : [forcedEosTokenId as number],
  };
}

function assertNear(actual: number, expected: number, message: string): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${message}: ${actual}, expected ${expected}`);
}

for (const kind of ['greedy', 'beams', 'sampled'] as const) {
  t(`${kind}: writes what the reference writes, with its scores`, () => {
    const chosen = cases.filter((each) => each.kind === kind);
    assert.ok(chosen.length >= 90);
    chosen.forEach((each, number) => {
      const settings = settingsOf(each);
      const name = `case ${number}, ${JSON.stringify(each.settings)}`;
      const made = runSearch(openSearch(each.vocab, settings, each.prompt, each.source), each.prompt, tableOf(each));
      assert.equal(
        made.map(({ ids }) => ids),
        each.sequences.map(({ ids }) => ids),
        name,
      );
      each.sequences.forEach((expected, i) => {
        const { ids, beams, logProbabilities, score, finish } = made[i]!;
        assert.is(finish, settings.eosTokenId.includes(ids.at(-1)!) ? 'eos' : 'length', name);
        expected.log_probabilities?.forEach((x, step) => assertNear(logProbabilities[step]!, x, `${name}, step ${step}`));
        if (expected.score !== undefined) assertNear(score, expected.score, name);
        if (expected.beams !== undefined) assert.equal(beams, expected.beams, name);
        assert.is(logProbabilities.length, ids.length - each.prompt.length);
        const sum = logProbabilities.reduce((all, x) => all + x, 0);
        assertNear(score, sum / logProbabilities.length ** settings.lengthPenalty, name);
      });
    });
  });
}

/** Widths whose rows end at every place of a register and of a block of four. */
const widths = [...Array.from({ length: 70 }, (_, i) => i + 1), 95, 97, 127, 128, 129, 191, 193, 255, 257];

t('rows of every width: the sum over all columns, the best of them by falling score, equal ones by rising id', () => {
  const random = new Random(5);
  for (const width of widths) {
    // A few numbers only, so that there are equal ones; a fourth of them banned.
    const logits = Float32Array.from({ length: width }, (_, i) => (i > 0 && random.next() < 0.25 ? -Infinity : random.integer(-9, 9) / 2));
    const sum = Math.log(logits.reduce((all, x) => all + Math.exp(x), 0));
    const order = Array.from(logits.keys())
      .filter((id) => logits[id]! > -Infinity)
      .sort((a, b) => logits[b]! - logits[a]! || a - b);
    const written = (settings: Partial<SearchSettings>) => {
      const search = openSearch(width, { ...settings, maxLength: 2 });
      search.step(logits.slice());
      return search.sequences().map(({ ids, logProbabilities }) => ({ id: ids[1]!, x: logProbabilities[0]! }));
    };
    for (const [count, settings] of [[1, {}] as const, [5, { numBeams: 5, numReturnSequences: 5 }] as const]) {
      const found = written(settings);
      assert.equal(
        found.map(({ id }) => id),
        order.slice(0, count),
        `${count} of ${width}`,
      );
      for (const { id, x } of found) assertNear(x, logits[id]! - sum, `${count} of ${width}`);
    }
  }
});

t('NaN and infinity are refused at every place of a row', () => {
  for (const width of [1, 7, 16, 33, 67]) {
    for (let at = 0; at < width; at++) {
      for (const wrong of [NaN, Infinity]) {
        const logits = new Float32Array(width).fill(-1);
        logits[at] = wrong;
        for (const numBeams of [1, 3]) {
          const search = openSearch(width, { numBeams, maxLength: 2 });
          assert.throws(
            () => search.step(logits.slice()),
            (error: { code?: string }) => error.code === 'NON_FINITE',
            `${wrong} at ${at} of ${width}`,
          );
        }
      }
    }
  }
});

t('draws with Philox’s numbers: 53 bits of seed, sequence, step and draw', () => {
  // random.json of the golden set.
  const known = [
    [0, 0, 0, 0, 0.7031672188710553],
    [42, 0, 0, 0, 0.5491204859492808],
    [42, 0, 1, 0, 0.22321111399572036],
    [42, 1, 0, 0, 0.049001912235652534],
    [1099511627783, 3, 200, 0, 0.229090580904999],
    [9007199254740991, 7, 511, 2, 0.651792647939762],
  ] as const;
  for (const [seed, sequence, step, draw, u] of known) assert.is(searchOps.uniform(seed, sequence, step, draw), u);
  const random = new Random(3);
  for (let i = 0; i < 200; i++) {
    const seed = Math.floor(random.next() * Number.MAX_SAFE_INTEGER);
    const [sequence, step, draw] = [random.integer(0, 2 ** 32 - 1), random.integer(0, 2 ** 32 - 1), random.integer(0, 2 ** 32 - 1)];
    const [high, low] = philox([step, sequence, draw, 0x67656e31], [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]) as [number, number];
    assert.is(searchOps.uniform(seed, sequence, step, draw), Number(((BigInt(high) << 32n) | BigInt(low)) >> 11n) * 2 ** -53);
  }
});

t('draws each id as often as its probability says', () => {
  const logits = Float32Array.from([0, 1, -Infinity, 2, 1]);
  const weights = Array.from(logits, Math.exp);
  const total = weights.reduce((sum, x) => sum + x, 0);
  const draws = 20_000;
  const counts = new Array<number>(5).fill(0);
  for (let seed = 0; seed < draws; seed++) {
    const search = openSearch(5, { doSample: true, maxLength: 2, seed });
    search.step(logits);
    counts[search.sequences()[0]!.ids[1]!]!++;
  }
  weights.forEach((weight, id) => {
    const p = weight / total;
    const deviation = Math.sqrt(draws * p * (1 - p));
    assert.ok(Math.abs(counts[id]! - draws * p) <= 5 * deviation, `id ${id}: ${counts[id]} of ${draws * p}`);
  });
});

t('takes the lower id, then the lower beam, of equal ones', () => {
  const flat = () => new Float32Array(9);
  assert.equal(runSearch(openSearch(9, { maxLength: 4 }), [0], flat)[0]!.ids, [0, 0, 0, 0]);
  const [first, second, third] = runSearch(openSearch(9, { maxLength: 3, numBeams: 3, numReturnSequences: 3 }), [0], flat);
  assert.equal(
    [first!.ids, second!.ids, third!.ids],
    [
      [0, 0, 0],
      [0, 0, 1],
      [0, 0, 2],
    ],
  );
  // Of equal finished ones, the one that ended earlier stays in front.
  const ends = runSearch(openSearch(3, { maxLength: 5, numBeams: 2, numReturnSequences: 2, eosTokenId: [2], lengthPenalty: 1 }), [0], () =>
    Float32Array.from([0, 0, 0]),
  );
  assert.equal(ends[0]!.score, ends[1]!.score);
  assert.ok(ends[0]!.ids.length <= ends[1]!.ids.length);
});

t('keeps ties of the k-th likeliest id', () => {
  const logits = Float32Array.from([1, 3, 2, 2, 2, 0]);
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const search = openSearch(6, { doSample: true, topK: 2, maxLength: 2, seed });
    search.step(logits);
    seen.add(search.sequences()[0]!.ids[1]!);
  }
  assert.equal([...seen].sort(), [1, 2, 3, 4]);
});

t('ends a beam search as early_stopping says', () => {
  // The end is likely at first; later words are certain, so that a longer text has a better mean.
  const logitsOf = (ids: readonly number[]) => Float32Array.from(ids.length === 1 ? [0, 2, 1.9, -9] : [-9, 30, 0, ids.length > 3 ? 29 : 0]);
  const lengthOf = (earlyStopping: SearchSettings['earlyStopping'], lengthPenalty: number) => {
    const search = openSearch(4, { numBeams: 2, eosTokenId: [2, 3], maxLength: 12, earlyStopping, lengthPenalty });
    let steps = 0;
    const [best] = runSearch(search, [0], (ids) => {
      steps = Math.max(steps, ids.length);
      return logitsOf(ids);
    });
    return [best!.ids.length, steps];
  };
  const [atOnce, likely, never] = [lengthOf(true, 1), lengthOf(false, 1), lengthOf('never', 1)];
  assert.ok(atOnce[1]! <= likely[1]! && likely[1]! <= never[1]!);
  assert.is(never[1], 11);
});

t('refuses logits that are no numbers, and infinite ones', () => {
  for (const numBeams of [1, 3]) {
    for (const wrong of [NaN, Infinity]) {
      for (let at = 0; at < 5; at++) {
        const logits = new Float32Array(5);
        logits[at] = wrong;
        assert.throws(
          () => openSearch(5, { numBeams }).step(logits),
          (error: { code?: string }) => error.code === 'NON_FINITE',
        );
      }
    }
  }
});

t('refuses a step at which every id is banned, and names the settings', () => {
  const isRefused = (error: { code?: string; message: string }) =>
    error.code === 'INVALID_OPTION' && error.message.includes('suppressTokens');
  for (const settings of [{}, { numBeams: 2 }, { doSample: true }, { numBeams: 2, renormalizeLogits: true }] as const) {
    const banned = { ...settings, suppressTokens: [0, 1, 2] };
    assert.throws(() => openSearch(3, banned).step(new Float32Array(3)), isRefused);
    const holes = Float32Array.from([-Infinity, -Infinity, -Infinity]);
    assert.throws(() => openSearch(3, settings).step(holes), isRefused);
    // Only the second word has nothing left.
    const once = { ...settings, noRepeatNgramSize: 1, suppressTokens: [1] };
    const search = openSearch(3, once, [0]);
    search.step(new Float32Array(3));
    assert.is(search.rows()[0]![1], 2);
    assert.throws(() => search.step(new Float32Array(3 * search.rows().length)), isRefused);
  }
});

t('goes on with the beams that have something left', () => {
  const search = openSearch(4, {
    numBeams: 2,
    badWordsIds: [
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
    ],
    maxLength: 5,
  });
  const [best] = runSearch(search, [0], () => Float32Array.from([0, 5, 0, 1]));
  assert.not(best!.ids.slice(0, -1).includes(1));
});

t('refuses ids outside the vocabulary, an empty word and a prompt without room', () => {
  const refused: readonly [Partial<SearchSettings>, number[]?, string?][] = [
    [{ badWordsIds: [[5]] }],
    [{ badWordsIds: [[]] }],
    [{ forcedBosTokenId: 5 }],
    [{ forcedEosTokenId: [5] }],
    [{ suppressTokens: [0, 5] }],
    [{ beginSuppressTokens: [9] }],
    [{ eosTokenId: [7] }],
    [{}, [5]],
    [{}, []],
    [{ maxLength: 2 }, [0, 1], 'MAX_LENGTH'],
  ];
  for (const [settings, prompt = [0], code = 'INVALID_IDS'] of refused) {
    assert.throws(
      () => openSearch(5, settings, prompt),
      (error: { code?: string }) => error.code === code,
      JSON.stringify(settings),
    );
  }
  // A source of a larger vocabulary is no mistake.
  const search = openSearch(5, { encoderNoRepeatNgramSize: 1 }, [0], [9, 1]);
  search.step(Float32Array.from([0, 9, 1, 0, 0]));
  assert.is(search.sequences()[0]!.ids[1], 2);
});

t('ends one text of several, or all', () => {
  const search = openSearch(7, { doSample: true, numReturnSequences: 3, maxLength: 9, seed: 5 });
  assert.equal(search.rows(), [[-1, 0]]);
  search.step(new Float32Array(7));
  assert.equal(
    search.rows().map(([parent]) => parent),
    [0, 0, 0],
  );
  search.end(1, 'stop');
  search.end(1, 'abort');
  assert.equal(search.rows().length, 2);
  search.step(new Float32Array(14));
  assert.equal(
    search.rows().map(([parent]) => parent),
    [0, 1],
  );
  search.endAll('deadline');
  assert.equal(search.rows(), []);
  assert.equal(
    search.sequences().map(({ finish }) => finish),
    ['deadline', 'stop', 'deadline'],
  );
  assert.equal(
    search.sequences().map(({ ids }) => ids.length),
    [3, 2, 3],
  );
  // What is drawn does not depend on the texts beside it.
  const alone = openSearch(7, { doSample: true, numReturnSequences: 3, maxLength: 9, seed: 5 });
  alone.step(new Float32Array(7));
  alone.step(new Float32Array(21));
  assert.equal(alone.sequences()[2]!.ids, search.sequences()[2]!.ids);
});

t('gives of beams that are ended the finished, then the best that run', () => {
  const settings = { numBeams: 3, numReturnSequences: 3, eosTokenId: [1], maxLength: 9 };
  const search = openSearch(4, settings);
  const logits = Float32Array.from([0, 1, 2, 0.5]);
  search.step(logits);
  search.step(Float32Array.from([...logits, ...logits, ...logits].slice(0, 4 * search.rows().length)));
  search.endAll('abort');
  const made = search.sequences();
  assert.is(made.length, 3);
  assert.is(made[0]!.finish, 'eos');
  assert.is(made[2]!.finish, 'abort');
  assert.ok(made[2]!.ids.length === 3 && made[2]!.score < 0);
  const early = openSearch(4, settings);
  early.endAll('deadline');
  assert.equal(
    early.sequences().map(({ ids, finish }) => [ids, finish]),
    [[[0], 'deadline']],
  );
});

t.run();
