import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import * as aiSdk from '../../src/adapters/ai-sdk/index.js';
import * as explaining from '../../src/explain/index.js';
import * as root from '../../src/index.js';
import * as learn from '../../src/learn/index.js';
import * as pretraining from '../../src/pretraining/index.js';
import * as training from '../../src/training/index.js';
import * as words from '../../src/word-vectors/index.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { checkout } from '../support/mini-checkout.js';

const t = suite('the API as its documentation shows it');

/** What examples may call without saying where it is from, and where that lies in src. */
const modules = { aiSdk, explaining, root, learn, pretraining, training, words };
/** Adapters whose modules need a framework, so that they cannot be loaded here; their own tests are in test/adapters. */
const frameworks = {
  langchain: ['BerthaEmbeddings', 'BerthaRerank'],
  llamaindex: ['BerthaEmbedding', 'BerthaReranker'],
  chroma: ['BerthaEmbeddingFunction'],
};
const names: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(modules).map(([name, module]) => [name, Object.keys(module)])),
  ...frameworks,
};
const folders: Readonly<Record<string, string>> = {
  root: '',
  explaining: 'explain/',
  learn: 'learn/',
  pretraining: 'pretraining/',
  training: 'training/',
  words: 'word-vectors/',
  aiSdk: 'adapters/ai-sdk/',
  langchain: 'adapters/langchain/',
  llamaindex: 'adapters/llamaindex/',
  chroma: 'adapters/chroma/',
};

/** The code of every `@example` above an export or a method of one, by its name. */
function examples(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(join(checkout, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.startsWith('compat') || file === 'pipeline.ts') continue;
    const source = readFileSync(join(checkout, 'src', file), 'utf8');
    for (const [, comment, name] of source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\n *(?:export )?(?:async )?(?:const |function )?(\w+)/g)) {
      const [, example] = comment!.split('@example\n');
      if (example !== undefined) found.set(name!, example.replaceAll(/^ *\* ?/gm, ''));
    }
  }
  return found;
}

t('the most used exports have an example', () => {
  const shown = [...examples().keys()];
  for (const name of [
    ...['loadEmbedder', 'embed', 'embedMany', 'embedSync', 'encodeQuery', 'chunk', 'loadModel', 'loadTokenizer', 'similarity'],
    ...['semanticSearch', 'fillMask', 'classifyText', 'rerank', 'answerQuestion', 'recognizeEntities', 'classifyZeroShot'],
  ]) {
    assert.ok(shown.includes(name), name);
  }
});

t('the examples fit the types', () => {
  const file = join(checkout, 'test', 'examples-of-the-api.ts');
  const bodies = [...examples()].map(
    ([name, code]) => `async function exampleOf_${name}() { const embedder = given.embedder; {\n${code}\n} }`,
  );
  const called = [...new Set(Object.values(names).flat())].filter((name) => new RegExp(`(?<![.\\w])${name}\\b`).test(bodies.join('\n')));
  const source = [
    ...Object.keys(names).map((name) => `import * as ${name} from '../src/${folders[name]}index.js';`),
    `declare const vectors: Float32Array[], labels: string[];`,
    `const { ${called.join(', ')} } = { ${Object.keys(names)
      .map((name) => `...${name}`)
      .join(', ')} };`,
    `declare const given: { embedder: root.Embedder };`,
    `declare const model: root.Model, documents: string[], texts: string[], lines: AsyncIterable<string>, document: string;`,
    `declare const query: root.Embedding, corpus: root.Embedding[];`,
    `declare function store(vector: Float32Array): void; declare function index(text: string, start: number, end: number): void;`,
    ...bodies,
  ].join('\n');
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, types: ['node'] },
    ...{
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, version) =>
    name === file ? ts.createSourceFile(name, source, version) : getSourceFile.call(host, name, version);
  const declared = readdirSync(join(checkout, 'src', 'adapters'), { recursive: true, encoding: 'utf8' }).filter((each) =>
    each.endsWith('.d.ts'),
  );
  const program = ts.createProgram([file, ...declared.map((each) => join(checkout, 'src', 'adapters', each))], options, host);
  const found = program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  assert.equal(found, []);
});

t.run();
