// Passages that stand twice in src, native, packages/jobs or packages/server, as they are or with other names and numbers. Part of `npm run check:rules`;
// `node scripts/rules/duplicates.mjs [shape]` lists them all, the allowed ones too.
// A line counts when it says something: not blank, no comment, no import or include, no lone brackets.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inRoot, listFiles } from '../build/project.mjs';

const passage = 6;

/** Pairs of files (or one with itself) that may share a passage, names and numbers aside, and why. */
const allowed = [
  {
    pairs: [
      ['native/cuda/kernels/linear_mma.cu', 'native/cuda/kernels/linear_parts.cu'],
      ['native/cuda/kernels/linear_mma.cu', 'native/cuda/kernels/linear_small.cu'],
      ['native/cuda/kernels/linear_parts.cu', 'native/cuda/kernels/linear_small.cu'],
    ],
    why: 'the order of copies, waits and barriers is what each kernel argues; a shared loop would hide it and change its registers',
  },
  { pairs: [['native/cuda/kernels/layer_norm.cu']], why: 'two passes over a row in registers: one sums up, the other squares' },
  { pairs: [['native/cuda/device/ptx.cuh']], why: 'the instruction of a type stands in a string that no template can make' },
  {
    pairs: [
      ['native/cpu/isa/simd_avx2-inl.h', 'native/cpu/isa/simd_avx512-inl.h'],
      ['native/cpu/isa/neon/simd_neon-inl.h', 'native/cpu/isa/simd_avx2-inl.h'],
      ['native/cpu/isa/neon/simd_neon-inl.h', 'native/cpu/isa/simd_avx512-inl.h'],
      ['native/cpu/isa/int8_avx512_vnni.cc', 'native/cpu/isa/int8_avx_vnni.cc'],
      ['native/cpu/peak.cc'],
    ],
    why: 'one function an instruction set, each of its own intrinsics',
  },
  {
    pairs: [['native/cpu/kernels/training/linear-grad-bf16-inl.h', 'native/cpu/kernels/training/linear-grad-inl.h']],
    why: 'a tile of one number format each: the load and the product are the loop',
  },
  { pairs: [['native/engine/program/training_ops.h']], why: 'an op is a list of its fields; the same fields in two ops are two facts' },
  { pairs: [['native/addon/program_reader.cc']], why: 'records read field by field: each line is a fact of its own' },
  { pairs: [['native/addon/test/training_row_ops.cc']], why: 'single ops for tests: each reads its own arguments' },
  {
    pairs: [['src/tokenizer/normalizers/composition.ts', 'src/tokenizer/normalizers/strip.ts']],
    why: 'streams that hold characters back: when, and what becomes of them, is all that each is',
  },
];

const words = new Set(
  (
    'if else for while do return const let function class struct switch case default break continue new throw try catch typeof static template ' +
    'typename auto void int float double bool true false null undefined async await of in export public private readonly this inline constexpr using namespace'
  ).split(' '),
);

/** Lines that name fields and do nothing: a member with its constant, a field shown to a visitor, a parameter kept in its field. */
const declarations =
  /^(?:(?:static )?(?:const(?:expr)? )*[\w:<>]+[*&]* \w+ = (?:[\w:.]+|"[^"]*"|-?[\d.]+f?);|visit\.\w+\(.*\);|this\.#?(\w+) = \1;)$/;

/** The lines of a text that count, each with its number: as they are, or with every name and number made equal. */
function linesOf(text, byShape) {
  const code = text.replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''));
  return code.split('\n').flatMap((line, i) => {
    const bare = line
      .replace(/\/\/.*$/, '')
      .replace(/\s+/g, ' ')
      .trim();
    if (!/\w/.test(bare) || /^(?:import|export \{|export \*|#|using |namespace |\} from)/.test(bare)) return [];
    const shape = byShape ? bare.replace(/'[^']*'|"[^"]*"|\b\w+\b/g, (token) => (words.has(token) ? token : 'x')) : bare;
    return [{ number: i + 1, text: shape, does: /[=(]/.test(bare) && !(byShape && declarations.test(bare)) }];
  });
}

/** Whether a passage does something: lists of names, declarations of fields and closing lines are alike by their nature. */
function says(lines) {
  return lines.filter(({ does }) => does).length >= 4 && new Set(lines.map(({ text }) => text)).size >= 4;
}

const readSource = (file) => readFileSync(inRoot(file), 'utf8');

/** Every passage of six lines that stands in two places: [{ first, second, lines }], `file:line` each. */
export function duplicates(files, { byShape = false, read = readSource } = {}) {
  const places = new Map();
  const found = [];
  for (const file of files.filter((name) => /^(?:src|native|packages\/(?:jobs|server)\/src)\/.*\.(?:ts|cc|h|cu|cuh)$/.test(name))) {
    const text = read(file);
    if (/^\/\/ (?:Generated|Made) by /.test(text)) continue;
    const lines = linesOf(text, byShape);
    let open;
    for (let i = 0; i + passage <= lines.length; i++) {
      const window = lines.slice(i, i + passage);
      const key = window.map((line) => line.text).join('\n');
      const earlier = places.get(key);
      if (earlier === undefined) places.set(key, { file, line: window[0].number, index: i });
      const overlaps = earlier?.file === file && i - earlier.index < passage;
      if (earlier === undefined || overlaps || !says(window)) {
        open = undefined;
        continue;
      }
      if (open !== undefined && open.from === earlier.file && earlier.index === open.next) {
        open.next++;
        open.found.lines++;
        continue;
      }
      open = { from: earlier.file, next: earlier.index + 1 };
      open.found = { first: `${earlier.file}:${earlier.line}`, second: `${file}:${window[0].number}`, lines: passage };
      found.push(open.found);
    }
  }
  return found;
}

const filesOf = ({ first, second }) => [first, second].map((place) => place.replace(/:\d+$/, '')).sort();

const isAllowed = (found) => {
  const files = filesOf(found);
  return allowed.some(({ pairs }) => pairs.some(([one, other = one]) => one === files[0] && other === files[1]));
};

/** The passages that no entry of `allowed` excuses, with other names and numbers too, as breaches; `read` gives the text of a file. */
export function duplicateBreaches(files, read) {
  const equal = duplicates(files, { read });
  const isTold = (alike) => equal.some((each) => filesOf(each).join() === filesOf(alike).join());
  const alike = duplicates(files, { byShape: true, read }).filter((each) => !isTold(each));
  const breach = (end) => (each) => (isAllowed(each) ? [] : [`${each.second}: ${each.lines} lines stand in ${each.first} as well${end}`]);
  return [...equal.flatMap(breach('')), ...alike.flatMap(breach(', with other names'))];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { first, second, lines } of duplicates(listFiles('src', 'native', 'packages/jobs/src', 'packages/server/src'), {
    byShape: process.argv[2] === 'shape',
  }))
    process.stdout.write(`${lines} lines: ${first} ~ ${second}\n`);
}
