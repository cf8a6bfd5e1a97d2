// What may import what is held by `npm run check:rules` (scripts/rules/imports.mjs).
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const loaderFiles = ['src/runtime/loading/file-format.ts', 'src/runtime/package-files.ts'];
const mayReadFiles = [
  'src/cli/**/*.ts',
  'packages/jobs/src/{command,source,store}/**/*.ts',
  'packages/server/src/command/**/*.ts',
  'packages/server/src/routes/page.ts',
  'src/explain/pages/assets.ts',
  'src/checkpoint/**/*.ts',
  'src/hub/**/*.ts',
  'src/training/{checkpoints,datasets,report}/**/*.ts',
  'src/word-vectors/files/**/*.ts',
  'src/pretraining/{corpus,store,vocabulary}/**/*.ts',
  'src/training/checkpoints/temporary-folder.ts',
  ...loaderFiles,
];
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

export default defineConfig(
  {
    ignores: [
      'build/**',
      'build-*/**',
      'dist/**',
      'packages/*/dist/**',
      'weights/**',
      'test/golden/**',
      '**/node_modules/**',
      'bench/results/**',
      'test/bundlers/**/build/**',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommended],
    languageOptions: {
      parserOptions: {
        project: [
          './tsconfig.check.json',
          './src/explain/pages/browser/tsconfig.json',
          './packages/server/tsconfig.check.json',
          './packages/jobs/tsconfig.check.json',
          './packages/server/ui/tsconfig.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
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
    ignores: ['src/expected.ts'],
    rules: { 'no-restricted-syntax': ['error', ...restrictedSyntax, ...handWrittenErrors] },
  },
  {
    files: ['src/**/*.ts', 'packages/*/src/**/*.ts'],
    ignores: mayReadFiles,
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: fsImports }] },
  },
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
    // Their types are the frameworks', with which npm test adapters compiles them.
    files: ['test/adapters/{checks,clients,further-clients}/**/*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { project: false } },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    extends: [tseslint.configs.base],
    rules: { 'no-undef': 'off', 'no-unused-vars': 'error', eqeqeq: 'error', 'prefer-const': 'error' },
  },
);
