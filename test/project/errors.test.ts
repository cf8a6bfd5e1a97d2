import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError, describeCode, errorCodes, type ErrorCode } from '../../src/errors.js';
import { unexpected, wrongArgument, wrongOption } from '../../src/expected.js';
import { toBerthaError } from '../../src/runtime/native-error.js';
import { checkout } from '../support/mini-checkout.js';

const t = suite('error codes');
const read = (name: string): string => readFileSync(join(checkout, name), 'utf8');
const sources = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => pattern.test(file))
    .map((file) => read(join(folder, file)));

const codesOfUnion = (): readonly string[] => errorCodes;

/** The cells of a document's table rows whose first cell is a word or begins with a code. */
function rowsOf(document: string, first: RegExp): string[][] {
  const lines = document.split('\n').filter((line) => first.test(line));
  return lines.map((line) => line.split('|').map((cell) => cell.trim()));
}

const codeRows = (): string[][] => rowsOf(read('docs/errors.md'), /^\| `/);
const codesOf = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => code!);

function codesOfDocument(): string[] {
  return codeRows().flatMap(([, cell]) => codesOf(cell!));
}

t('docs/errors.md says of each code of the union, and of no other, what happened, once', () => {
  assert.ok(codesOfUnion().length > 50);
  assert.equal(codesOfDocument(), codesOfUnion());
});

t('docs/errors.md says of each kind and code what HTTP status and exit code follow', () => {
  const kinds = new Map(
    rowsOf(read('docs/errors.md'), /^\| (?:usage|model|busy|device|system) \|/).map(([, kind, , status, exit]) => [
      kind!,
      { httpStatus: Number(status), exitCode: Number(exit) },
    ]),
  );
  assert.equal([...kinds.keys()], ['usage', 'model', 'busy', 'device', 'system']);
  for (const [, codes, cell] of codeRows()) {
    const [kind, ...others] = cell!.split(', ');
    const exit = others.find((each) => each.startsWith('exit '))?.slice(5);
    const status = others.find((each) => /^\d+$/.test(each));
    for (const code of codesOf(codes!)) {
      const { httpStatus, exitCode } = kinds.get(kind!)!;
      const expected = { kind, httpStatus: Number(status ?? httpStatus), exitCode: Number(exit ?? exitCode) };
      const { kind: own, httpStatus: ownStatus, exitCode: ownExit } = describeCode(code as ErrorCode);
      assert.equal({ kind: own, httpStatus: ownStatus, exitCode: ownExit }, expected, code);
    }
  }
});

t('every error has its code’s kind and HTTP status, those of the addon and of another copy too', () => {
  for (const code of errorCodes) {
    const error = new BerthaError(code, 'message');
    assert.equal([error.kind, error.httpStatus], [describeCode(code).kind, describeCode(code).httpStatus]);
  }
  const native = toBerthaError(Object.assign(new Error('full'), { code: 'QUEUE_FULL' })) as BerthaError;
  assert.equal([native.kind, native.httpStatus], ['busy', 429]);
  const unknown = toBerthaError(Object.assign(new Error('new'), { code: 'toString' })) as BerthaError;
  assert.equal([unknown.kind, unknown.httpStatus], ['system', 500]);
});

t('an error about a value says what was expected and received, what to do, and where', () => {
  function caller(): BerthaError {
    return wrongArgument('a string for text 3', 7, { hint: 'Pass text.', cause: 'why' });
  }
  const error = caller();
  assert.equal([error.code, error.cause], ['INVALID_ARG', 'why']);
  assert.is(error.message, 'Expected a string for text 3 but received 7 of type number. Pass text.');
  assert.match(error.stack!.split('\n')[1]!, /caller/);
  assert.is(unexpected('IO', 'one byte', 0).message, 'Expected one byte but received 0.');
  assert.not.ok('cause' in unexpected('IO', 'one byte', 0));
  assert.is(wrongOption('true', 'x').message, 'Expected true but received "x" of type string.');
});

t('the union has every code that the addon gives', () => {
  const given = sources('native', /\.(?:cc|h|cu|cuh)$/).flatMap((source) => [...source.matchAll(/(?<!extern )"([A-Z]+(?:_[A-Z]+)*)"/g)]);
  const codes = new Set(given.map(([, code]) => code!).filter((code) => !code.startsWith('BERTHA_')));
  assert.ok(codes.has('DEVICE_OOM') && codes.has('INVALID_ARG'));
  const union = codesOfUnion();
  assert.equal(
    [...codes].filter((code) => !union.includes(code)),
    [],
  );
});

t('the union has no code that nothing gives', () => {
  const all = [
    ...sources('src', /(?<!errors)\.ts$/),
    ...sources('packages/jobs/src', /\.ts$/),
    ...sources('native', /\.(?:cc|h|cu|cuh)$/),
  ].join('\n');
  assert.equal(
    codesOfUnion().filter((code) => !all.includes(`'${code}'`) && !all.includes(`"${code}"`)),
    [],
  );
});

t('the README names only codes of the union', () => {
  const readme = read('README.md');
  const table = readme.slice(readme.indexOf('Every error is a `BerthaError`'), readme.indexOf('[docs/errors.md]'));
  const named = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code]) => code!);
  assert.ok(named.length > 10);
  assert.equal(
    named.filter((code) => !codesOfUnion().includes(code)),
    [],
  );
});

t.run();
