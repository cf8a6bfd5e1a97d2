// The import graph of src: floors, no circle, no crowded folder. Part of `npm run check:rules`.
import { readFileSync } from 'node:fs';
import { posix as path } from 'node:path';
import { inRoot } from '../build/project.mjs';

// Top to bottom. A folder may import any floor below its own, types included, and nothing on its own floor. A folder without a floor is a breach.
const floors = [
  ['cli'],
  ['index'],
  ['explain', 'pretraining'],
  ['adapters', 'compat', 'evaluators', 'tools', 'training', 'word-vectors'],
  ['generation', 'learn'],
  ['embedding', 'tasks'],
  ['vectors', 'metrics'],
  ['calls'],
  ['models'],
  ['architectures'],
  ['models/program', 'hub'],
  ['checkpoint', 'runtime'],
  ['tokenizer'],
  ['tokenizer/files'],
  ['tokenizer/definition'],
  ['tokenizer/scanning'],
  ['tokenizer/bpe', 'tokenizer/normalizers', 'tokenizer/unigram', 'tokenizer/wordpiece'],
  ['tokenizer/unicode', 'tokenizer/vocabulary'],
  ['training/datasets'],
  ['file-path', 'one-line', 'text-files'],
  ['options'],
  ['expected'],
  ['errors'],
  ['at-exit', 'realms', 'version'],
];
// The same of packages/server/src.
const serverFloors = [
  ['index'],
  ['command'],
  ['server'],
  ['routes'],
  ['answers'],
  ['requests', 'http', 'openapi', 'page'],
  ['state'],
  ['metrics', 'settings'],
  ['work', 'models'],
  ['failures'],
  ['schemas', 'version'],
];
// The same of packages/jobs/src.
const jobsFloors = [['index'], ['command'], ['queue'], ['search'], ['indexing'], ['store', 'source'], ['postgres'], ['shared', 'version']];
const rooms = [
  ['packages/jobs/src/', jobsFloors],
  ['packages/server/src/', serverFloors],
  ['src/', floors],
].map(([root, list]) => ({ root, floorOf: new Map(list.flatMap((names, floor) => names.map((name) => [name, floor]))) }));
const mostFiles = 15;
const importPattern = /^(?:import|export)\s[^;]*?\sfrom '(\.[^']*)\.js';/gm;

/** Every breach of the rules by `files`, the repository's; `read` gives the text of one. */
export function importBreaches(files, read = (file) => readFileSync(inRoot(file), 'utf8')) {
  const sources = files.filter((file) => /^(?:packages\/(?:jobs|server)\/)?src\/.*\.ts$/.test(file));
  const imports = sources.flatMap((from) =>
    Array.from(read(from).matchAll(importPattern), ([, specifier]) => ({ from, to: `${path.join(path.dirname(from), specifier)}.ts` })),
  );
  return [...upward(imports), ...circles(imports), ...crowded(files)];
}

/** What a file's floor goes by: the innermost folder that has one, or the file's own name. */
function areaOf(file) {
  const { root, floorOf } = rooms.find((room) => file.startsWith(room.root));
  const [outer, inner] = file.slice(root.length).replace(/\.ts$/, '').split('/');
  const name = floorOf.has(`${outer}/${inner}`) ? `${outer}/${inner}` : outer;
  return { name, floor: floorOf.get(name) };
}

function upward(imports) {
  return imports.flatMap(({ from, to }) => {
    const [above, below] = [areaOf(from), areaOf(to)];
    if ((above.name === below.name && above.floor === below.floor) || above.floor < below.floor) return [];
    return [`${from}: imports ${to}, but ${below.name} is not below ${above.name} (scripts/rules/imports.mjs)`];
  });
}

/** A circle, of types too, is found where a walk meets a file that it has not left. */
function circles(imports) {
  const next = groupBy(imports, ({ from }) => from);
  const left = new Set();
  const found = [];
  const walk = (file, way) => {
    if (way.includes(file)) return found.push(`${[...way.slice(way.indexOf(file)), file].join(' → ')}: a circle of imports`);
    if (left.has(file)) return undefined;
    for (const { to } of next.get(file) ?? []) walk(to, [...way, file]);
    return left.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return found;
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function crowded(files) {
  const folders = groupBy(
    files.filter((file) => /^(?:src|native|packages\/(?:jobs|server)\/src)\//.test(file)),
    (file) => path.dirname(file),
  );
  return [...folders].flatMap(([folder, own]) =>
    own.length > mostFiles ? [`${folder}: ${own.length} files, more than ${mostFiles}`] : [],
  );
}
