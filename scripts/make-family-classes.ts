// Writes src/compat/family-classes.ts: the classes that transformers has for each family of src/architectures, as exports: a module cannot
// compute their names.
//   node --import tsx scripts/make-family-classes.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { classNames, headOfClass } from '../src/architectures/class-names.js';
import type { Family } from '../src/architectures/family.js';
import type { Heads } from '../src/architectures/heads.js';
import { families } from '../src/architectures/registry.js';

const OUTPUT = fileURLToPath(new URL('../src/compat/family-classes.ts', import.meta.url));

/** What a class with one head is for, after "A model of …". */
const WHAT: Readonly<Record<keyof Heads, string>> = {
  maskedLm: 'that tells hidden words: `logits` [texts, tokens, vocab].',
  nextSentence: 'that tells whether a text follows another: `logits` [texts, 2], the first for yes.',
  sequenceClassification: 'that labels texts: `logits` [texts, labels].',
  tokenClassification: 'that labels tokens: `logits` [texts, tokens, labels].',
  questionAnswering: 'that finds answers: `start_logits` and `end_logits` [texts, tokens].',
  multipleChoice: 'that chooses: `logits` [choices, 1], one row a choice.',
  replacedToken: 'that tells replaced tokens: `logits` [texts, tokens].',
};

function comment(family: Family, name: string): string {
  const head = headOfClass(family, name);
  if (head !== undefined) return `A model of ${family.title} ${WHAT[head]}`;
  if (name.endsWith('Model'))
    return `The encoder of a model of ${family.title}: \`last_hidden_state\`, and \`pooler_output\` where it has a pooler.`;
  const [only, ...more] = family.pretraining;
  return `A model of ${family.title} ${more.length === 0 ? WHAT[only!] : 'with the heads it was pretrained with.'}`;
}

/** The text of the file. */
export function formatFamilyClasses(): string {
  const named = Object.entries<Family>(families).filter(([, family]) => classNames(family).length > 0);
  const blocks = named.map(([type, family]) => {
    const names = classNames(family).map((name) => `  /** ${comment(family, name)} */\n  ${name},\n`);
    return `export const {\n${names.join('')}} = classesOf<'${family.className}'>('${type}');\n`;
  });
  const head = '// Made by scripts/make-family-classes.ts from src/architectures; do not edit.\n';
  const own = Object.values<Family>(families).filter(({ namesTokenizer }) => namesTokenizer);
  const tokenizers = own.map(({ className }) => `  AutoTokenizer as ${className}Tokenizer,\n`);
  const imports = "import { classesOf } from './models/model-class.js';\n";
  return `${head}${imports}\nexport {\n${tokenizers.join('')}} from './tokenizer/tokenizer.js';\n${blocks.join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(OUTPUT, formatFamilyClasses());
