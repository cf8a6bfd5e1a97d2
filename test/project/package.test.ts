import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { isFull } from '../support/full.js';
import { skip } from '../support/skip.js';
import { checkout, runNode, type Finished } from '../support/mini-checkout.js';

const packages = join(checkout, 'build', 'packages');
const project = realpathSync(mkdtempSync(join(tmpdir(), 'bertha-project-')));
const tarball = (pattern: RegExp): string => {
  const file = readdirSync(packages).find((name) => pattern.test(name));
  assert.ok(file, `expected a file like ${pattern} in ${packages}`);
  return join(packages, file);
};
const mainTarball = (): string => tarball(/^bertha-encoder-\d.*\.tgz$/);
const platformTarball = (): string => tarball(new RegExp(`^bertha-encoder-${process.platform}-.*\\.tgz$`));
const weightsTarball = (): string => tarball(/^bertha-encoder-weights-.*\.tgz$/);

/** A package in the tree of `npm ls`. */
interface Installed {
  readonly name?: string;
  /** Where it is installed; none of an optional peer that is not. */
  readonly path?: string;
  readonly dependencies?: Readonly<Record<string, Installed>>;
}

interface Manifest {
  readonly version: string;
  readonly scripts?: unknown;
  readonly devDependencies?: unknown;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>;
}

function tar(...args: readonly string[]): string {
  const result = spawnSync('tar', args, { encoding: 'utf8' });
  assert.is(result.status, 0, result.stderr);
  return result.stdout;
}

const manifestOf = (file: string): Manifest => JSON.parse(tar('-xzOf', file, 'package/package.json')) as Manifest;

const workspaces = new Set(['bertha-jobs', 'bertha-server']);

/** The runtime dependencies as tarballs of what is installed here, so that the empty project needs no registry. */
function packDependencies(): string[] {
  const folder = join(project, 'dependencies');
  mkdirSync(folder);
  const list = spawnSync('npm', ['ls', '--omit=dev', '--all', '--json', '--long'], { cwd: checkout, encoding: 'utf8' }).stdout;
  const pathsOf = ({ dependencies = {} }: Installed): string[] =>
    Object.values(dependencies).flatMap((each) =>
      each.path === undefined || workspaces.has(each.name ?? '') ? [] : [each.path, ...pathsOf(each)],
    );
  const installed = new Set(pathsOf(JSON.parse(list) as Installed));
  const result = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, ...installed], {
    encoding: 'utf8',
  });
  assert.is(result.status, 0, result.stderr);
  return readdirSync(folder).map((file) => join(folder, file));
}

function runProgram(file: string, source: string): Promise<Finished> {
  writeFileSync(join(project, file), source);
  return runNode(project, [file]);
}

const t = suite('package');
t.after(() => rmSync(project, { recursive: true, force: true }));

t('is packed as five tarballs', async () => {
  const { code, output } = await runNode(checkout, ['scripts/pack-all.mjs']);
  assert.is(code, 0, output);
  assert.is(output.match(/\.tgz /g)?.length, 5, output);
});

// 3.11 MB with training, pre-training, learn, explain and its pages, generation, word vectors and adapters; families and tokenizers have a place, a bundled file has not.
t('holds JavaScript and types, maps and the sources they name, in at most 3.2 MB, nothing native', () => {
  const files = tar('-tzf', mainTarball()).trim().split('\n');
  assert.ok(statSync(mainTarball()).size <= 3.2e6);
  const known =
    /^package\/(dist\/.+\.(js|d\.ts)|dist\/(?!cjs\/).+\.(js|d\.ts)\.map|dist\/explain\/pages\/assets\.json|src\/.+\.ts|(dist\/cjs\/)?package\.json|README\.md|LICENSE|NOTICE)$/;
  assert.equal(
    files.filter((file) => !known.test(file)),
    [],
  );
});

t('holds the jobs and the server, compiled, with their types and sources, and nothing of the checkout', () => {
  for (const name of workspaces) {
    const workspace = tarball(new RegExp(`^${name}-\\d.*\\.tgz$`));
    const files = tar('-tzf', workspace).trim().split('\n');
    for (const file of ['dist/index.js', 'dist/index.d.ts', 'src/index.ts', 'README.md', 'LICENSE'])
      assert.ok(files.includes(`package/${file}`), file);
    const { scripts, devDependencies, version } = manifestOf(workspace);
    assert.equal([scripts, devDependencies, version], [undefined, undefined, manifestOf(mainTarball()).version]);
  }
});

t('runs no script when it is installed', () => {
  for (const file of [mainTarball(), platformTarball(), weightsTarball()]) assert.is(manifestOf(file).scripts, undefined, file);
});

t('depends on the platform package of its own version, and on the weights only if they are there', () => {
  const main = manifestOf(mainTarball());
  assert.is(main.devDependencies, undefined);
  assert.equal(Object.values(main.optionalDependencies ?? {}), [main.version]);
  assert.is(manifestOf(platformTarball()).version, main.version);
  assert.is(main.peerDependenciesMeta?.['@bertha-encoder/weights-all-minilm-l6-v2']?.optional, true);
});

t('holds the addon in at most 10 MB, for this system only', () => {
  const platform = manifestOf(platformTarball());
  assert.ok(statSync(platformTarball()).size <= 10e6);
  assert.equal(platform.os, [process.platform]);
  assert.equal(platform.cpu, [process.arch]);
  if (process.platform === 'linux') assert.equal(platform.libc, ['glibc']);
});

t('holds the weights as they lie in the checkout', () => {
  const weights = join(checkout, 'weights', 'all-MiniLM-L6-v2');
  const expected = readdirSync(weights, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(weights, file)).isFile());
  const files = new Set(tar('-tzf', weightsTarball()).trim().split('\n'));
  assert.equal(
    expected.filter((file) => !files.has(`package/${file}`)),
    [],
  );
});

t('installs into an empty project without scripts and without a registry', () => {
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
  const files = [mainTarball(), platformTarball(), weightsTarball(), ...packDependencies()];
  const npm = ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error', ...files];
  const result = spawnSync('npm', npm, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, npm_config_cache: join(project, 'cache') },
  });
  assert.is(result.status, 0, result.stderr);
});

const installed = join(project, 'node_modules', 'bertha-encoder');

t('every ES module and declaration has a map whose sources are there; the CommonJS files have none and name none', () => {
  const dist = join(installed, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(js|d\.ts)$/.test(file));
  for (const file of files) {
    const named = /^\/\/# sourceMappingURL=(.+)$/m.exec(readFileSync(join(dist, file), 'utf8'))?.[1];
    if (file.startsWith('cjs')) {
      assert.is(named, undefined, file);
      continue;
    }
    assert.is(named, `${basename(file)}.map`, file);
    const map = JSON.parse(readFileSync(join(dist, `${file}.map`), 'utf8')) as { sources: string[]; sourcesContent?: unknown };
    const sources = map.sources.map((source) => relative(installed, resolve(dist, dirname(file), source)));
    assert.equal(sources, [join('src', file.replace(/(\.d)?\.(js|ts)$/, '.ts'))]);
    assert.ok(existsSync(join(installed, sources[0]!)), sources[0]);
    assert.is(map.sourcesContent, undefined, file);
  }
  assert.ok(files.length > 200);
});

t('stack traces with --enable-source-maps name lines of src', async () => {
  writeFileSync(
    join(project, 'trace.mjs'),
    "import { similarity } from 'bertha-encoder';\ntry { similarity(1, 2); } catch (error) { console.log(error.stack); }\n",
  );
  const { output } = await runNode(project, ['--enable-source-maps', 'trace.mjs']);
  const [, file, line, column] =
    /at (?:\S+ )?\(?(?:file:\/\/)?(\S+bertha-encoder\/src\/vectors\/similarity\.ts):(\d+):(\d+)/.exec(output) ?? [];
  assert.ok(file !== undefined, output);
  const text = readFileSync(file, 'utf8').split('\n')[Number(line) - 1]!;
  assert.match(text.slice(Number(column) - 1), /^\w+\(/, `${line}:${column} of ${file}: ${text}`);
});

t('an editor goes to the definition in src', () => {
  const folder = join(project, 'editor');
  mkdirSync(folder);
  const file = join(folder, 'definition.mts');
  const compilerOptions = { module: 'nodenext', target: 'es2022', types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(file, "import { similarity } from 'bertha-encoder';\nsimilarity;\n");
  const requests = [
    { command: 'open', arguments: { file } },
    { command: 'definition', arguments: { file, line: 2, offset: 2 } },
  ];
  const server = spawnSync(process.execPath, [join(checkout, 'node_modules', 'typescript', 'lib', 'tsserver.js')], {
    cwd: folder,
    encoding: 'utf8',
    input: requests.map((request, seq) => `${JSON.stringify({ seq, type: 'request', ...request })}\n`).join(''),
  });
  const answers = server.stdout.split('\n').filter((line) => line.includes('"command":"definition"'));
  const [definition] = (JSON.parse(answers[0] ?? '{}') as { body?: { file: string; start: { line: number } }[] }).body ?? [];
  assert.is(definition?.file, join(installed, 'src', 'vectors', 'similarity.ts'), server.stdout);
  const text = readFileSync(definition!.file, 'utf8').split('\n')[definition!.start.line - 1]!;
  assert.match(text, 'function similarity(');
});

const embed = `const embedder = await loadEmbedder();
  const { vector, tokens } = await embedder.embed('A cat sits on the mat.');
  console.log(JSON.stringify({ dimensions: vector.length, tokens, norm: Math.hypot(...vector).toFixed(5) }));
  await embedder.dispose();`;
const expected = { dimensions: 384, tokens: 9, norm: '1.00000' };

t('embeds from an ES module', async () => {
  const { code, output } = await runProgram('program.mjs', `import { loadEmbedder } from 'bertha-encoder';\n${embed}\n`);
  assert.is(code, 0, output);
  assert.equal(JSON.parse(output), expected);
});

t('embeds from require(), by the same classes as from an ES module', async () => {
  const source = `const bertha = require('bertha-encoder');
    const { loadEmbedder } = bertha;
    (async () => { ${embed}; console.log((await import('bertha-encoder')).BerthaError === bertha.BerthaError); })();\n`;
  const { code, output } = await runProgram('program.cjs', source);
  assert.is(code, 0, output);
  const [json, isSame] = output.trim().split('\n').slice(-2);
  assert.equal(JSON.parse(json ?? ''), expected);
  assert.is(isSame, 'true');
});

t('embeds from its CommonJS files, where a tool cannot require ES modules', async () => {
  const source = `const { BerthaError, loadEmbedder } = require('./node_modules/bertha-encoder/dist/cjs/index.js');
    (async () => {
      ${embed}
      const { loadModel } = await import('bertha-encoder');
      await loadModel(7).catch((error) => console.log(error instanceof BerthaError, error.code));
    })();\n`;
  const { code, output } = await runProgram('commonjs.cjs', source);
  assert.is(code, 0, output);
  const [json, error] = output.trim().split('\n');
  assert.equal(JSON.parse(json ?? ''), expected);
  assert.is(error, 'true INVALID_ARG');
});

t('learns from require() and from its CommonJS files', async () => {
  const source = `(async () => {
    for (const name of ['bertha-encoder/learn', './node_modules/bertha-encoder/dist/cjs/learn/index.js']) {
      const { CountVectorizer, LogisticRegression, trainTestSplit } = require(name);
      const words = new CountVectorizer();
      const x = await words.fitTransform(['a good film', 'bad film', 'good good', 'bad bad']);
      const model = await new LogisticRegression().fit(x, ['p', 'n', 'p', 'n']);
      const labels = await model.predict(await words.transform(['good', 'bad']));
      console.log(labels.join(), trainTestSplit([[0, 1, 2, 3]], { randomState: 0 }).join('|'));
    }
  })();\n`;
  const { code, output } = await runProgram('learn.cjs', source);
  assert.is(code, 0, output);
  assert.equal(output.trim().split('\n'), ['p,n 3,1,0|2', 'p,n 3,1,0|2']);
});

const program = `import { BerthaError, loadEmbedder, type Embedding } from 'bertha-encoder';
const failure = new BerthaError('INVALID_ARG', 'message');
const code: string = failure.code;
export const embed = async (text: string): Promise<Embedding> => (await loadEmbedder()).embed(text);
console.log(code, failure instanceof BerthaError);
`;
const resolutions = [
  ['node10', 'commonjs'],
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['bundler', 'preserve'],
] as const;
for (const [moduleResolution, module] of resolutions) {
  t(`compiles from TypeScript, CommonJS and ES modules, with moduleResolution ${moduleResolution}`, async () => {
    // check:package resolves the types in all four ways; each is compiled and run too in the full check, two here.
    if (!isFull && (moduleResolution === 'node16' || moduleResolution === 'bundler')) return skip('only with BERTHA_TEST_FULL=1');
    const folder = join(project, moduleResolution);
    mkdirSync(folder);
    const extensions = moduleResolution === 'node10' ? ['ts'] : ['cts', 'mts'];
    for (const extension of extensions) writeFileSync(join(folder, `program.${extension}`), program);
    const typeRoots = [join(checkout, 'node_modules', '@types')];
    const compilerOptions = { module, moduleResolution, target: 'es2022', strict: true, types: ['node'], typeRoots };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const compiled = await runNode(folder, [join(checkout, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
    assert.is(compiled.code, 0, compiled.output);
    for (const extension of extensions) {
      if (module === 'preserve' && extension === 'cts') continue; // a bundler's to make into CommonJS
      const { code, output } = await runNode(folder, [`program.${extension.replace('ts', 'js')}`]);
      assert.is(code, 0, output);
      assert.match(output, 'INVALID_ARG true');
    }
  });
}

t('offers the command bertha', () => {
  const result = spawnSync(join(project, 'node_modules', '.bin', 'bertha'), ['--version'], { encoding: 'utf8', cwd: project });
  assert.is(result.status, 0, result.stderr);
  assert.match(result.stdout, manifestOf(mainTarball()).version);
});

t('says what to install when the weights are missing', async () => {
  rmSync(join(project, 'node_modules', '@bertha-encoder', 'weights-all-minilm-l6-v2'), { recursive: true });

  t('doctor ends well without the weights, which are optional', () => {
    const bertha = join(project, 'node_modules', '.bin', 'bertha');
    const { status, stdout } = spawnSync(bertha, ['doctor', '--json'], { encoding: 'utf8', cwd: project });
    const report = JSON.parse(stdout) as { ok: boolean; 'self-test': { installed: boolean } };
    assert.equal([status, report.ok, report['self-test'].installed], [0, true, false]);
    const named = spawnSync(bertha, ['doctor'], {
      encoding: 'utf8',
      cwd: project,
      env: { ...process.env, BERTHA_MODEL_DIR: join(project, 'none') },
    });
    assert.equal([named.status, /no {2}self-test/.test(named.stdout)], [1, true], named.stdout);
  });
  const source = `import { loadEmbedder } from 'bertha-encoder';
    await loadEmbedder().catch((error) => console.log(error.code, error.message));\n`;
  const { output } = await runProgram('missing.mjs', source);
  assert.match(output, /^MODEL_NOT_FOUND .*npm install @bertha-encoder\/weights-all-minilm-l6-v2/);
});

t.run();
