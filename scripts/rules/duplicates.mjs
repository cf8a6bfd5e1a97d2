// Passages that stand twice in src or native. Part of `npm run check:rules`; `node scripts/rules/duplicates.mjs shape` also finds those that
// differ in names and numbers alone, for whoever tidies up.
// A line counts when it says something: not blank, no comment, no import or include, no lone brackets.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inRoot, listFiles } from '../build/project.mjs';

const passage = 6;

/** What may share a passage: files whose names begin so, and why. */
const allowed = [
  {
    files: ['native/cuda/kernels/linear_mma.cu', 'native/cuda/kernels/linear_small.cu'],
    why: 'the order of copies, waits and barriers is what each kernel argues; a shared loop would hide it and change its registers',
  },
  {
    files: ['native/cuda/value_plan.cc', 'native/engine/program/p'],
    why: 'a device packs bytes, the processor floats of whole cache lines',
  },
  { files: ['native/engine/program/'], why: 'an op is a list of its fields; the same fields in two ops are two facts' },
  { files: ['native/addon/test/'], why: 'single ops for tests: an op and its gradient read the same arguments' },
];

const words = new Set(
  (
    'if else for while do return const let function class struct switch case default break continue new throw try catch typeof static template ' +
    'typename auto void int float double bool true false null undefined async await of in export public private readonly this inline constexpr using namespace'
  ).split(' '),
);

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
    return [{ number: i + 1, text: shape }];
  });
}

/** Whether a passage does something: lists of names, declarations of fields and closing lines are alike by their nature. */
function says(lines) {
  return lines.filter(({ text }) => /[=(]/.test(text)).length >= 4 && new Set(lines.map(({ text }) => text)).size >= 4;
}

const readSource = (file) => readFileSync(inRoot(file), 'utf8');

/** Every passage of six lines that stands in two places: [{ first, second, lines }], `file:line` each. */
export function duplicates(files, { byShape = false, read = readSource } = {}) {
  const places = new Map();
  const found = [];
  for (const file of files.filter((name) => /^(?:src|native)\/.*\.(?:ts|cc|h|cu|cuh)$/.test(name))) {
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

const isAllowed = ({ first, second }) =>
  allowed.some(({ files }) => [first, second].every((place) => files.some((name) => place.startsWith(name))));

/** The passages that no entry of `allowed` excuses, as breaches; `read` gives the text of a file. */
export function duplicateBreaches(files, read) {
  return duplicates(files, { read })
    .filter((each) => !isAllowed(each))
    .map(({ first, second, lines }) => `${second}: ${lines} lines stand in ${first} as well`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { first, second, lines } of duplicates(listFiles('src', 'native'), { byShape: process.argv[2] === 'shape' }))
    process.stdout.write(`${lines} lines: ${first} ~ ${second}\n`);
}
