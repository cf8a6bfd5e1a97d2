// `npm run check:rules`: the rules of docs/architecture.md that a text search can check. Prints every breach; exit 1 when there is one.
import { existsSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { inRoot, listFiles, root } from './build/project.mjs';
import { duplicateBreaches } from './rules/duplicates.mjs';
import { importBreaches } from './rules/imports.mjs';

const longestFile = 450;

// Each rule: files it looks at, files it spares, and what must not stand in a line.
const rules = [
  { name: 'napi.h only in native/addon', in: /^native\//, except: /^native\/addon\//, forbid: /#\s*include\s*[<"]napi\.h|node_api\.h/ },
  { name: 'CUDA headers only in native/cuda', in: /^native\//, except: /^native\/cuda\//, forbid: /#\s*include\s*[<"]cuda(_\w+)?\.h/ },
  {
    name: 'immintrin.h only in native/cpu',
    in: /^native\//,
    except: /^native\/cpu\//,
    forbid: /#\s*include\s*<(immintrin|x86intrin|arm_neon)\.h>/,
  },
  {
    name: 'the engine knows no folder above it',
    in: /^native\/engine\//,
    forbid: /#\s*include\s*"(?:addon|cpu|cuda|devices)[/.]/,
  },
  {
    name: 'the pool knows nothing of what it computes',
    in: /^(?:native|test\/native)\/engine\/pool(?:\/|_test)/,
    forbid: /#\s*include\s*"(?:engine\/(?!pool\/|system\/|clock\.h|check\.h|floating_point\.h)|addon|cpu|cuda|devices)/,
  },
  { name: 'the processor knows neither devices nor the addon', in: /^native\/cpu\//, forbid: /#\s*include\s*"(?:addon|cuda|devices)[/.]/ },
  { name: 'CUDA knows neither devices nor the addon', in: /^native\/cuda\//, forbid: /#\s*include\s*"(?:addon|cpu|devices)[/.]/ },
  {
    name: 'native code neither exits nor prints',
    in: /^native\//,
    forbid: /\b(?:std::)?(?:abort|exit|_exit|quick_exit|terminate|printf|fprintf|puts)\s*\(|\bstd::(?:cout|cerr|clog)\b/,
  },
  {
    name: 'one binary for every machine, exact arithmetic',
    in: /^(native\/|binding\.gyp|CMakeLists\.txt|scripts\/build\/)/,
    forbid: /-march=native|-mtune=native|-ffast-math|-Ofast|-funsafe-math/,
  },
  {
    name: 'no paths of one machine',
    in: /./,
    except:
      /^(package-lock\.json|bench\/package-lock\.json|test\/(?:bundlers|adapters|adapters\/further-clients)\/package-lock\.json|weights\/|test\/golden\/)/,
    forbid: /(?<![\w.$*:/-])\/(?:work|root|home|Users)\/[a-z.]/,
  },
  {
    name: 'no unfinished marks',
    in: /^(src|packages|native|test|scripts|bench|examples)\//,
    except: /^(scripts\/check-rules\.mjs|test\/golden\/)/,
    forbid: /\b(?:TODO|FIXME|XXX|HACK)\b/,
  },
  {
    name: 'no any, no @ts-ignore',
    in: /^(src|packages|test|scripts|bench)\/.*\.ts$/,
    forbid: /:\s*any\b|<any>|\bas any\b(?= *[;,)\]}])|@ts-ignore|@ts-nocheck/,
  },
  { name: 'no file lists by pattern in the builds', in: /^(CMakeLists\.txt|binding\.gyp)$/, forbid: /GLOB|<!\(.*\bls\b/ },
];

const tracked = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
});
const files =
  tracked.status === 0
    ? tracked.stdout.split('\0').filter(Boolean)
    : listFiles('src', 'native', 'test', 'scripts', 'binding.gyp', 'CMakeLists.txt');
const isText = (file) => /\.(?:ts|mjs|cjs|js|cc|h|cu|cuh|gyp|gypi|json|md|txt|py|sh|yml|map)$|^\.ci\/|^[^./]+$/.test(file);

const breaches = [];
for (const file of files.filter(isText)) {
  const applicable = rules.filter((rule) => rule.in.test(file) && !rule.except?.test(file) && file !== 'scripts/check-rules.mjs');
  const isCode = /^(?:src|packages|native|test|scripts|bench|examples)\/.*\.(?:ts|mjs|cc|h|cu|cuh)$/.test(file);
  if (applicable.length === 0 && !isCode) continue;
  let lines;
  try {
    lines = readFileSync(inRoot(file), 'utf8').split('\n');
  } catch (error) {
    if (error.code === 'ENOENT') continue; // listed by git, removed since
    throw error;
  }
  const generated = /^\/\/ (?:Generated|Made) by /.test(lines[0]);
  if (isCode && !generated && lines.length > longestFile) breaches.push(`${file}: ${lines.length} lines, more than ${longestFile}`);
  for (const [index, line] of lines.entries()) {
    for (const rule of applicable)
      if (rule.forbid.test(line)) breaches.push(`${file}:${index + 1}: ${rule.name}: ${line.trim().slice(0, 100)}`);
  }
}

// Both builds compile what the list names: a source that is in no list would be silently left out.
const { variables } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const listed = new Set(
  Object.values(variables)
    .flat()
    .filter((item) => /^native\/.*\.(?:cc|cu)$/.test(item)),
);
const present = files.filter((file) => /^native\/.*\.(?:cc|cu)$/.test(file));
for (const file of present) if (!listed.has(file)) breaches.push(`${file}: is not listed in native/sources.gypi`);
for (const file of listed) if (!present.includes(file)) breaches.push(`native/sources.gypi: names ${file}, which does not exist`);

// A bundle has no package.json beside it, so the version is a constant of the source as well.
const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
if (!readFileSync(inRoot('src', 'version.ts'), 'utf8').includes(`export const version = '${version}';`))
  breaches.push(`src/version.ts: does not hold version ${version} of package.json`);

breaches.push(...importBreaches(files), ...duplicateBreaches(files.filter((file) => existsSync(inRoot(file)))));

for (const breach of breaches) process.stdout.write(`${breach}\n`);
process.stdout.write(`${rules.length + 7} rules, ${files.length} files, ${breaches.length} breaches\n`);
process.exitCode = breaches.length > 0 ? 1 : 0;
