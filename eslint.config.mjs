// Layers: cli → index → evaluators | tools → embedding → tasks → calls | vectors → models → architectures → models/program → checkpoint;
// models → hub | runtime, hub → checkpoint; the tokenizer stands below checkpoint and knows none of them; metrics know numbers only.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const layers = [
  'cli',
  'index',
  'evaluators',
  'tools',
  'tasks',
  'embedding',
  'calls',
  'vectors',
  'models',
  'architectures',
  'hub',
  'runtime',
  'checkpoint',
  'tokenizer',
  'metrics',
];
const loaderFiles = ['src/runtime/addon.ts', 'src/runtime/package-files.ts'];
const mayReadFiles = ['src/cli/**/*.ts', 'src/checkpoint/**/*.ts', 'src/hub/**/*.ts', ...loaderFiles];
// `instanceof` is for these alone: BerthaError carries a brand, the others never leave the module that throws them.
const ownClasses = ['BerthaError', 'Transient', 'BrokenPipe', 'CommanderError'];
const fsImports = ['node:fs', 'node:fs/promises', 'fs', 'fs/promises'].map((name) => ({
  name,
  message: 'Files are read and written in src/checkpoint, src/hub, src/cli and the loader of src/runtime.',
}));

const restrictedSyntax = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  {
    selector: `BinaryExpression[operator='instanceof']:not([right.name=/^(${ownClasses.join('|')})$/])`,
    message: 'Objects of another realm (Jest, vm contexts) fail instanceof of a built-in: see src/realms.ts, or use node:util types.',
  },
  { selector: 'AwaitExpression:not(:function AwaitExpression)', message: 'Top-level await would break require().' },
];
const handWrittenErrors = ['TemplateElement[value.raw=/ but received /]', 'Literal[value=/ but received /]'].map((sentence) => ({
  selector: `NewExpression[callee.name='BerthaError'] ${sentence}`,
  message: 'Errors about values are made by unexpected, wrongArgument and wrongOption of src/expected.ts.',
}));

function layer(files, mayImport, { typesFrom = [] } = {}) {
  const forbidden = layers.filter((name) => !mayImport.includes(name));
  // A folder of which one sub-folder may be imported.
  const inner = (name) =>
    mayImport.flatMap((each) => (each.startsWith(`${name}/`) ? [`(?!${each.slice(name.length + 1)}/)`] : [])).join('');
  const patterns = forbidden.map((name) => ({
    regex: name === 'index' ? '^(\\.\\./)+index\\.js$' : `^(\\./|(\\.\\./)+)${name}/${inner(name)}`,
    allowTypeImports: typesFrom.includes(name),
    message: `Imports run downward only: cli → index → evaluators | tools → embedding → tasks → calls | vectors → models → architectures → models/program → checkpoint | runtime (this file may import ${mayImport.join(', ') || 'none of them'}).`,
  }));
  return {
    files,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: files.some((file) => mayReadFiles.includes(file)) ? [] : fsImports, patterns },
      ],
    },
  };
}

// The tokenizer's own folders: what each may import beside itself. Files at its top put them together.
const tokenizerFolders = {
  unicode: [],
  vocabulary: [],
  normalizers: ['unicode'],
  wordpiece: ['vocabulary'],
  scanning: ['unicode', 'normalizers', 'vocabulary'],
  definition: ['normalizers', 'vocabulary', 'scanning'],
  files: ['unicode', 'normalizers', 'vocabulary', 'scanning', 'definition'],
};
const tokenizerLayers = Object.entries(tokenizerFolders).map(([folder, mayImport]) => {
  const rules = layer([`src/tokenizer/${folder}/**/*.ts`], []);
  rules.rules['@typescript-eslint/no-restricted-imports'][1].patterns.push({
    regex: `^\\.\\./(?!${['\\.\\./', ...mayImport.map((name) => `${name}/`)].join('|')})`,
    message: `Of the tokenizer's folders ${folder}/ may import ${mayImport.join(', ') || 'none'}.`,
  });
  return rules;
});

export default defineConfig(
  {
    ignores: [
      'build/**',
      'build-*/**',
      'dist/**',
      'weights/**',
      'test/golden/**',
      '**/node_modules/**',
      'bench/results/**',
      'test/bundlers/**/build/**',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': 'allow-with-description', 'ts-ignore': true, 'ts-nocheck': true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', ...restrictedSyntax],
      eqeqeq: 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/expected.ts', 'src/compat/**', 'src/tokenizer/**'],
    rules: { 'no-restricted-syntax': ['error', ...restrictedSyntax, ...handWrittenErrors] },
  },
  layer(
    ['src/*.ts', 'src/index.ts'],
    [
      'evaluators',
      'metrics',
      'tools',
      'tasks',
      'embedding',
      'calls',
      'vectors',
      'models',
      'architectures',
      'hub',
      'runtime',
      'checkpoint',
      'tokenizer',
    ],
  ),
  layer(['src/evaluators/**/*.ts'], ['metrics', 'tasks', 'embedding', 'vectors', 'models']),
  layer(['src/metrics/**/*.ts'], []),
  layer(['src/vectors/**/*.ts'], ['runtime', 'checkpoint']),
  layer(['src/tools/**/*.ts'], ['calls', 'models', 'architectures', 'hub', 'runtime', 'checkpoint', 'tokenizer']),
  layer(['src/embedding/**/*.ts'], ['tasks', 'calls', 'vectors', 'models', 'architectures', 'hub', 'runtime', 'checkpoint', 'tokenizer']),
  layer(['src/tasks/**/*.ts'], ['calls', 'vectors', 'models', 'architectures', 'hub', 'runtime', 'checkpoint', 'tokenizer']),
  layer(['src/calls/**/*.ts'], ['models', 'runtime', 'checkpoint', 'tokenizer']),
  layer(['src/models/**/*.ts'], ['architectures', 'hub', 'runtime', 'checkpoint', 'tokenizer']),
  layer(['src/architectures/**/*.ts'], ['models/program', 'checkpoint']),
  // Programs are made of the ops and weights that native code knows.
  layer(['src/models/program/**/*.ts'], ['checkpoint'], { typesFrom: ['runtime'] }),
  layer(['src/runtime/**/*.ts'], []),
  layer(loaderFiles, []),
  layer(['src/hub/**/*.ts'], ['checkpoint']),
  layer(['src/checkpoint/**/*.ts'], ['tokenizer']),
  layer(['src/tokenizer/**/*.ts'], []),
  ...tokenizerLayers,
  layer(
    ['src/cli/**/*.ts'],
    [
      'index',
      'evaluators',
      'metrics',
      'tools',
      'tasks',
      'embedding',
      'calls',
      'vectors',
      'models',
      'architectures',
      'hub',
      'runtime',
      'checkpoint',
      'tokenizer',
    ],
  ),
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts', 'examples/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        {
          selector: "CallExpression[callee.property.name=/^(only|skip)$/][arguments.0.type='Literal']",
          message: "A test that is switched off says so at run time: skip('reason') from test/support/skip.ts.",
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    extends: [tseslint.configs.base],
    rules: { 'no-undef': 'off', 'no-unused-vars': 'error', eqeqeq: 'error', 'prefer-const': 'error' },
  },
);
