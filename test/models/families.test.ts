// What follows from the registry of families: a new one is a folder of src/architectures and a line there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { classNames, headOfClass } from '../../src/architectures/class-names.js';
import { parseConfig, type ModelConfig } from '../../src/architectures/config.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { Family } from '../../src/architectures/family.js';
import { exampleClass, families, knownNames, modelTypes, type ModelType } from '../../src/architectures/registry.js';
import * as compat from '../../src/compat/index.js';
import * as writing from '../../src/compat/models/writing-classes.js';
import { formatFamilyClasses } from '../../scripts/make-family-classes.js';
import { checkout } from '../support/mini-checkout.js';
import { rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('families of encoders');
const all = Object.entries(families) as [ModelType, Family][];
const titles = all.map(([, { title }]) => title);
const folderNames = modelTypes.map((type) => type.replaceAll('_', '-'));

t('each has a folder of its name, which nothing but the registry and other families opens', () => {
  const folder = join(checkout, 'src', 'architectures');
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  // encoder-decoder is no family: it joins two.
  assert.equal(folders.map(({ name }) => name).sort(), [...folderNames, 'encoder-decoder'].sort());
  for (const file of readdirSync(join(checkout, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /^architectures.(registry\.ts|[\w-]+[^\w.-]\w)/.test(file)) continue;
    const source = readFileSync(join(checkout, 'src', file), 'utf8');
    for (const name of folderNames) assert.not.match(source, new RegExp(`from '[^']*architectures/${name}/`), file);
  }
});

t('config.json is read by model_type, and in old files by the names of classes', () => {
  for (const [type, family] of all) {
    if (family.within === undefined) assert.is(parseConfig(JSON.stringify({ model_type: type })).modelType, type);
    for (const { modelType } of family.otherNames ?? []) assert.is(parseConfig(JSON.stringify({ model_type: modelType })).modelType, type);
    if (family.within !== undefined) continue;
    for (const name of classNames(family)) assert.is(parseConfig(JSON.stringify({ architectures: [name] })).modelType, type, name);
  }
});

t('an unknown model_type is answered with all that are known', async () => {
  const error = await rejection(async () => parseConfig('{"model_type": "t5"}'));
  assert.match(error.message, `one of ${knownNames.join(', ')}`);
});

t('the exports of compat are those that the families ask for', () => {
  const file = join(checkout, 'src', 'compat', 'family-classes.ts');
  assert.is(readFileSync(file, 'utf8'), formatFamilyClasses(), 'run node --import tsx scripts/make-family-classes.ts');
});

t('a vocab.txt is read as the family of the named class reads it, else by its CLS token', () => {
  const ofCls = (cls: string, sep: string) => ['[UNK]', cls, sep, '<pad>', 'a', '<mask>'].join('\n');
  for (const [type, { vocab }] of all) {
    for (const name of vocab?.classes ?? []) {
      const tokenizerConfig = JSON.stringify({ tokenizer_class: `${name}TokenizerFast`, mask_token: '<mask>' });
      const { ids } = createTokenizer({ vocab: ofCls('[CLS]', '[SEP]'), tokenizerConfig }).encode('a <mask>', { pair: 'a' });
      const expected = type === 'mpnet' ? [1, 4, 5, 2, 2, 4, 2] : [1, 4, 5, 2, 4, 2];
      assert.equal(Array.from(ids), expected, name);
    }
  }
  const pair = (cls: string, sep: string) => createTokenizer({ vocab: ofCls(cls, sep) }).encode('a', { pair: 'a' }).ids.length;
  assert.is(pair('<s>', '</s>'), 6);
  assert.is(pair('[CLS]', '[SEP]'), 5);
});

t('a tokenizer of no family is refused by name', async () => {
  const files = { vocab: '[UNK]\n[CLS]\n[SEP]', tokenizerConfig: '{"tokenizer_class": "T5Tokenizer"}' };
  const error = await rejection(async () => createTokenizer(files));
  assert.match(error.message, /T5Tokenizer/);
});

t('compat exports exactly the classes that the families have heads for, and those that write', () => {
  const exported = Object.keys(compat).filter((name) => /^(?!Auto)\w+(Model|For[A-Z]\w+)$/.test(name));
  const writers = Object.keys(writing).filter((name) => !name.startsWith('Auto') && name !== 'BertGenerationDecoder');
  assert.equal(exported.sort(), [...all.flatMap(([, family]) => classNames(family)), ...writers].sort());
  const values = compat as unknown as Readonly<Record<string, { readonly from_pretrained?: unknown }>>;
  for (const name of exported) assert.type(values[name]!.from_pretrained, 'function');
});

t('messages name a class of a family that has the head', () => {
  assert.is(exampleClass('nextSentence'), 'BertForNextSentencePrediction');
  assert.is(exampleClass('replacedToken'), 'ElectraForPreTraining');
});

t('each has golden directories with classes of its own', () => {
  const folders = ['golden', 'golden-families', 'golden-generation'].map((name) => join(checkout, 'test', name, 'tiny'));
  const configs = folders.flatMap((folder) =>
    readdirSync(folder).map((name) => parseConfig(readFileSync(join(folder, name, 'config.json'), 'utf8'))),
  );
  for (const [type, family] of all) {
    const isOwn = ({ decoder, isDecoder }: ModelConfig): boolean => family.classes !== undefined || (decoder === undefined && !isDecoder);
    const found = configs.filter((config) => config.modelType === type && isOwn(config)).flatMap(({ architectures }) => architectures);
    assert.ok(found.length > 0, type);
    const names = [...classNames(family), ...(family.classes ?? [])];
    for (const name of found) assert.ok(names.includes(name) || headOfClass(family, name) !== undefined, name);
  }
});

t('the documents name them all', () => {
  for (const file of ['README.md', 'docs/families.md']) {
    const text = readFileSync(join(checkout, file), 'utf8');
    for (const title of titles) assert.ok(text.includes(title), `${file}: ${title}`);
  }
});

t.run();
