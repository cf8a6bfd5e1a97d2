import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { parseSafetensorsHeader, MODEL_LIMITS } from '../../src/checkpoint/safetensors/safetensors.js';
import { codeOf } from '../support/checkpoint-files.js';

const t = suite('safetensors');
const golden = fileURLToPath(new URL('../golden/safetensors/', import.meta.url));

/** A safetensors file from its JSON; `dataBytes` zeros follow, and `length` may lie about the header. */
function file(json: string | Uint8Array, dataBytes = 0, length?: number | bigint): Uint8Array {
  const header = Buffer.from(json);
  const bytes = Buffer.alloc(8 + header.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(length ?? header.length));
  header.copy(bytes, 8);
  return bytes;
}

function parse(json: string | Uint8Array, dataBytes = 0): ReturnType<typeof parseSafetensorsHeader> {
  const bytes = file(json, dataBytes);
  return parseSafetensorsHeader(bytes, bytes.length);
}

const rejects = (expected: string, json: string | Uint8Array, dataBytes = 0): void =>
  assert.is(
    codeOf(() => parse(json, dataBytes)),
    expected,
    `${json}`,
  );
const tensor = (fields: string): string => `{"a":{${fields}}}`;
const f32 = (shape: string, offsets: string): string => tensor(`"dtype":"F32","shape":${shape},"data_offsets":${offsets}`);

// ------------------------------------------------------------------------------------------------ the reference reader's verdicts

interface Verdict {
  readonly file: string;
  readonly case: string;
  readonly reference: 'accept' | 'reject';
}
const { cases } = JSON.parse(readFileSync(`${golden}verdicts.json`, 'utf8')) as { cases: readonly Verdict[] };

/** The code for every rejected file; 019 and 023, with a repeated key, are those the reference accepts. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  HEADER_TOO_SMALL: ['001', '002'],
  HEADER_TOO_LARGE: ['005', '006', '007'],
  HEADER_LENGTH: ['008', '009'],
  HEADER_UTF8: ['010'],
  HEADER_JSON: ['003', '004', '011', '012', '013', '014', '015', '016', '018', '065', '068', '069', '070', '071'],
  DUPLICATE_KEY: ['019', '020', '021', '022', '023'],
  METADATA: ['024', '025'],
  TENSOR_INFO: ['028', '029', '030', '031', '032', '033', '034', '035', '036', '040', '049', '050', '067', '072'],
  OVERFLOW: ['037', '038'],
  OFFSETS: ['041', '042', '043', '044', '045', '046', '051', '052'],
  NOT_COVERED: ['047', '048'],
  NAME: ['060'],
};
const STRICTER = ['019', '023'];

t('knows 73 judged files', () => assert.is(cases.length, 73));

for (const verdict of cases) {
  const code = Object.keys(CODES).find((key) => CODES[key]!.includes(verdict.file));
  t(`${code === undefined ? 'accepts' : `rejects as ${code}`} ${verdict.file}: ${verdict.case}`, () => {
    const bytes = readFileSync(golden + verdict.file);
    assert.is(
      codeOf(() => parseSafetensorsHeader(bytes, bytes.length)),
      code,
    );
    if (!STRICTER.includes(verdict.file)) assert.is(code === undefined ? 'accept' : 'reject', verdict.reference);
  });
}

// ---------------------------------------------------------------------------------------------------------- beyond the 73 files

t('reports shapes, offsets from the start of the file and metadata', () => {
  const json =
    '{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,3],"data_offsets":[4,16]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}  ';
  const { tensors, metadata, dataOffset } = parse(json, 16);
  assert.is(dataOffset, 8 + json.length);
  assert.equal([...metadata], [['format', 'pt']]);
  assert.equal(tensors, [
    { name: 'b', dtype: 'F16', shape: [2, 3], byteOffset: dataOffset + 4, byteLength: 12 },
    { name: 'a', dtype: 'U8', shape: [4], byteOffset: dataOffset, byteLength: 4 },
  ]);
});

t('keeps names that are properties of every object', () => {
  const names = ['__proto__', 'constructor', 'toString', '', '\0', '日本'];
  const json = `{${names.map((name) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join(',')}}`;
  assert.equal(
    parse(json).tensors.map(({ name }) => name),
    names,
  );
  assert.equal([...parse('{"__metadata__":{"__proto__":"x"}}').metadata], [['__proto__', 'x']]);
});

t('reads escapes in names as the characters they stand for', () => {
  const json = '{"\\u0061\\n\\ud83d\\ude00\\/":{"d\\u0074ype":"U\\u0038","shape":[0],"data_offsets":[0,0]}}';
  assert.is(parse(json).tensors[0]!.name, 'a\n😀/');
});

t('finds a repeated key behind an escape', () => {
  rejects(
    'DUPLICATE_KEY',
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
  );
});

t('rejects an escaped lone surrogate in any string', () => {
  for (const text of ['\\ud800', '\\udc00', '\\ud800x', '\\ud800\\u0041', '\\udc00\\ud800', '\\udc00\\udc00', '\\ud800\\ud800']) {
    rejects('NAME', `{"__metadata__":{"a":"${text}"}}`);
    rejects('NAME', tensor(`"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":["${text}"]`));
  }
});

t('rejects malformed JSON inside fields it ignores', () => {
  const values = [
    'tru',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '-',
    '[1,]',
    '[,1]',
    '{"a"}',
    '{"a":1,}',
    '{a:1}',
    '"\\x"',
    '"\\u12"',
    '"\n"',
    '1e999',
    '[1 2]',
    '',
  ];
  for (const value of values) rejects('HEADER_JSON', tensor(`"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":${value}`));
});

t('accepts any JSON inside fields it ignores, 127 brackets deep', () => {
  for (const value of ['-0', '1e-5', '0.5E+3', 'null', 'true', '{"a":1,"a":[{}]}', '"\\u00e9"', '123456789012345678901234567890']) {
    assert.is(parse(tensor(`"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":${value}`)).tensors.length, 1, value);
  }
  const nested = (depth: number): string =>
    tensor(`"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":${'['.repeat(depth)}${']'.repeat(depth)}`);
  assert.is(parse(nested(125)).tensors.length, 1);
  rejects('HEADER_JSON', nested(126));
});

t('rejects tensor entries that are no objects', () => {
  for (const value of ['null', '1', '"F32"', '["U8",[0],[0,0]]']) rejects('TENSOR_INFO', `{"a":${value}}`);
  rejects('TENSOR_INFO', tensor('"dtype":{"U8":null},"shape":[0],"data_offsets":[0,0]'));
  rejects('TENSOR_INFO', f32('null', '[0,0]'));
  rejects('TENSOR_INFO', f32('{}', '[0,0]'));
  rejects('OFFSETS', f32('[0]', 'null'));
  rejects('METADATA', '{"__metadata__":[]}');
  rejects('METADATA', '{"__metadata__":{"a":null}}');
});

t('rejects invalid UTF-8 wherever it stands', () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
    rejects('HEADER_UTF8', Buffer.concat([Buffer.from('{"__metadata__":{"a":"'), Buffer.from(bytes), Buffer.from('"}}')]));
  }
});

t('counts exactly up to 2^64 - 1', () => {
  assert.is(parse(f32('[0,18446744073709551615]', '[0,0]')).tensors[0]!.shape[1], 2 ** 64);
  rejects('TENSOR_INFO', f32('[0,18446744073709551616]', '[0,0]'));
  rejects('TENSOR_INFO', f32('[9007199254740993]', '[0,4]'), 4);
  rejects('OVERFLOW', f32('[576460752303423488]', '[0,0]'));
  rejects('TENSOR_INFO', f32('[576460752303423487]', '[0,0]'));
  rejects('OFFSETS', f32('[0]', '[0,18446744073709551616]'));
  rejects('OFFSETS', f32('[0]', '[-1,0]'));
  rejects('OFFSETS', f32('[0]', '[0,9007199254740993]'));
});

t('rejects a hole, an overlap and a file that is longer or shorter than its tensors', () => {
  rejects('NOT_COVERED', f32('[1]', '[0,4]'), 3);
  rejects('NOT_COVERED', f32('[1]', '[0,4]'), 5);
  rejects('NOT_COVERED', '{}', 1);
  rejects('OFFSETS', f32('[1]', '[1,5]'), 5);
  rejects('OFFSETS', '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', 3);
});

t('packs the element types below a byte', () => {
  assert.is(parse(tensor('"dtype":"F4","shape":[2],"data_offsets":[0,1]'), 1).tensors[0]!.byteLength, 1);
  assert.is(parse(tensor('"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]'), 3).tensors[0]!.byteLength, 3);
  rejects('TENSOR_INFO', tensor('"dtype":"F6_E3M2","shape":[2],"data_offsets":[0,2]'), 2);
});

t('never reads past the bytes it was given', () => {
  const bytes = file('{}');
  assert.is(
    codeOf(() => parseSafetensorsHeader(bytes.subarray(0, 9), bytes.length)),
    'HEADER_LENGTH',
  );
  assert.is(
    codeOf(() => parseSafetensorsHeader(bytes.subarray(0, 7), bytes.length)),
    'HEADER_TOO_SMALL',
  );
});

t('survives every truncation and every single changed byte of a header', () => {
  const json = Buffer.from('{"__metadata__":{"a":"\\u00e9"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8],"x":[1e1,{"y":null}]}}');
  let rejected = 0;
  const attempt = (bytes: Uint8Array): void => {
    const code = codeOf(() => parseSafetensorsHeader(bytes, bytes.length));
    if (code !== undefined) rejected++;
  };
  for (let length = 0; length < json.length; length++) attempt(file(json.subarray(0, length), 8));
  for (let i = 0; i < json.length; i++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(json);
      changed[i]! ^= 1 << bit;
      attempt(file(changed, 8));
    }
  }
  assert.ok(rejected > json.length, `${rejected} rejected`);
});

t('caps rank and name length of a model’s tensors only', () => {
  const parseModel = (json: string): void => {
    const bytes = file(json);
    parseSafetensorsHeader(bytes, bytes.length, MODEL_LIMITS);
  };
  const named = (name: string): string => `{"${name}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`;
  const ranked = (rank: number): string => f32(`[${Array(rank).fill(0).join(',')}]`, '[0,0]');
  parseModel(named('a'.repeat(1024)));
  assert.is(
    codeOf(() => parseModel(named('a'.repeat(1025)))),
    'NAME',
  );
  assert.is(
    codeOf(() => parseModel(named('é'.repeat(513)))),
    'NAME',
  );
  assert.is(parse(named('a'.repeat(1 << 20))).tensors.length, 1);
  parseModel(ranked(8));
  assert.is(
    codeOf(() => parseModel(ranked(9))),
    'TENSOR_INFO',
  );
});

t('names the tensor in its errors, escaped and cut', () => {
  const name = `\\u001b[31m\\u202e${'x'.repeat(500)}`;
  const bytes = file(`{"${name}":{"dtype":"f32","shape":[0],"data_offsets":[0,0]}}`);
  try {
    parseSafetensorsHeader(bytes, bytes.length);
    assert.unreachable();
  } catch (error) {
    const { message } = error as Error;
    assert.match(message, /\\u001b\[31m\\u\{202e\}xxx/);
    assert.match(message, /506 characters/);
    assert.ok(message.length < 300);
  }
});

/** A header of 20 MB made of `unit`s between `head` and `tail`. */
function hostile(head: string, unit: (i: number) => string, tail: string): Uint8Array {
  const json = Buffer.alloc(20_000_000, ' ');
  let end = json.write(head);
  for (let i = 0; end + 64 + tail.length < json.length; i++) end += json.write(unit(i), end);
  json.write(tail, end);
  return json;
}

const HOSTILE: readonly (readonly [string, string | undefined, () => Uint8Array])[] = [
  [
    '350,000 tensors',
    'HEADER_TOO_LARGE',
    () => hostile('{', (i) => `${i ? ',' : ''}"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, '}'),
  ],
  [
    '10,000,000 dimensions',
    'TENSOR_INFO',
    () => hostile(tensor('"dtype":"U8","data_offsets":[0,0],"shape":[0').slice(0, -2), () => ',1', ']}}'),
  ],
  ['1,500,000 metadata entries', 'METADATA', () => hostile('{"__metadata__":{"":""', (i) => `,"${i}":""`, '}}')],
  ['20,000,000 nested arrays', 'HEADER_JSON', () => hostile('{"a":{"x":', () => '[', '')],
  ['7,000,000 ignored strings', 'TENSOR_INFO', () => hostile('{"a":{"x":[""', () => ',""', ']}}')],
];
for (const [what, code, make] of HOSTILE) {
  t(`answers a 20 MB header with ${what} in under 2 s of processor time and 4 times its size`, () => {
    const json = make();
    const before = process.memoryUsage().rss;
    const start = process.cpuUsage();
    rejects(code!, json);
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1000;
    const grown = process.memoryUsage().rss - before;
    assert.ok(ms < 2000, `${ms} ms of processor time`);
    // One copy of the header is this test's own file(). A sanitizer keeps what was freed.
    if (process.env['BERTHA_SANITIZER'] === undefined) assert.ok(grown < 5 * json.length, `${grown} bytes`);
  });
}

t.run();
