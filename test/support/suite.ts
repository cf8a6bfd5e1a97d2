import { suite as uvuSuite, type Callback, type Context, type Test } from 'uvu';

/**
 * uvu's suite of the name. With BERTHA_TEST_ONLY (`npm test -- --only TEXT`) it keeps only the tests whose name, after that of the
 * suite, contains the text, whatever the case.
 */
export function suite<T = Context>(name: string): Test<T> {
  const t = uvuSuite<T>(name);
  const only = process.env['BERTHA_TEST_ONLY']?.toLowerCase();
  if (only === undefined) return t;
  const filtered = (test: string, run: Callback<T>): void => {
    if (`${name} ${test}`.toLowerCase().includes(only)) t(test, run);
  };
  return Object.assign(filtered, t);
}
