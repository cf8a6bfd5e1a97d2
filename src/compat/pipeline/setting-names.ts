import { toCamelCase } from '../snake-case.js';

/** New tokens where neither a call nor the model's files say how many, as in transformers. */
const defaultNewTokens = 20;
/** Options that have another name in transformers. */
const otherNames = new Map([
  ['stopStrings', 'stop'],
  ['tgtLang', 'targetLanguage'],
  ['srcLang', 'sourceLanguage'],
]);

/** Settings of generating under Python's names, or these in camel case, by the names of the library. */
export function settingNames(given: object | undefined): Readonly<Record<string, unknown>> {
  const names = Object.entries({ ...toCamelCase<Readonly<Record<string, unknown>>>(given) });
  return { defaultNewTokens, ...Object.fromEntries(names.map(([name, value]) => [otherNames.get(name) ?? name, value])) };
}
