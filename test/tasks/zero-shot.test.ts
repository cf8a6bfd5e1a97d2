import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { classifyZeroShot, loadModel } from '../../src/index.js';
import { strFormat } from '../../src/tasks/templates/str-format.js';
import { codeOf, golden, rejection } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`zero-shot ${instructionSet}`);

/** template.format(label) in Python 3.13; null where it raises. */
const kFormats: readonly (readonly [template: string, label: string, text: string | null])[] = [
  ['This example is {}.', 'sports', 'This example is sports.'],
  ['{{}}', 'a', '{}'],
  ['{{{}}}', 'a', '{a}'],
  ['{0} and {0}', 'a', 'a and a'],
  ['{} and {}', 'a', null],
  ['{0} and {}', 'a', null],
  ['{} and {0}', 'a', null],
  ['{1}', 'a', null],
  ['{label}', 'a', null],
  ['{', 'a', null],
  ['a}', 'a', null],
  ['{}}', 'a', null],
  ['{!r}', "it's", '"it\'s"'],
  ['{!r}', 'both \' "', "'both \\' \"'"],
  ['{!r}', 'a\n\u200b\u00a0é', "'a\\n\\u200b\\xa0é'"],
  ['{!a}', 'é😀', "'\\xe9\\U0001f600'"],
  ['{!s:>4}', 'é😀', '  é😀'],
  ['{!x}', 'a', null],
  ['{!}', 'a', null],
  ['{:>10}', 'sports', '    sports'],
  ['{:^9}', 'abcd', '  abcd   '],
  ['{:*<8}', 'abcd', 'abcd****'],
  ['{:😀>3}', 'é', '😀😀é'],
  ['{0:.3}', 'sports', 'spo'],
  ['{:5.2s}|', 'sports', 'sp   |'],
  ['{:05}', 'ab', 'ab000'],
  ['{:d}', '3', null],
  ['{:+5}', 'a', null],
  ['{:=5}', 'a', null],
  ['{:,}', 'a', null],
  ['{0:{0}}', '>9', '       >9'],
  ['{:{}}', '5', null],
  ['{0[1]}', 'a😀c', '😀'],
  ['{0[9]}', 'a', null],
  ['{0[x]}', 'a', null],
  ['{0.upper}', 'a', null],
];

t('reads templates as str.format of Python does', () => {
  for (const [template, label, text] of kFormats) {
    if (text === null)
      assert.is(
        codeOf(() => strFormat(template, label)),
        'INVALID_OPTION',
        template,
      );
    else assert.is(strFormat(template, label), text, template);
  }
});

t('takes the templates that Python takes, and rejects the others', async () => {
  const model = await loadModel(golden('tiny/bert-nli'));
  const scores = async (hypothesisTemplate: string, labels: string[]) =>
    (await classifyZeroShot(model, 'It rains.', labels, { hypothesisTemplate })).scores;
  assert.equal(await scores('{0}?', ['sun', 'rain']), await scores('{}?', ['sun', 'rain']));
  assert.equal(await scores('{0:.3}', ['sunny', 'rainy']), await scores('{}', ['sun', 'rai']));
  const constant = await scores('{{}}', ['sun', 'rain']);
  assert.is(constant[0], constant[1]);
  for (const template of ['{} and {}', '{x}', 'no braces', '{', '{!q}']) {
    const error = await rejection(() => scores(template, ['a', 'b']));
    assert.equal([error.code, error.message.includes('hypothesisTemplate')], ['INVALID_OPTION', true], template);
  }
  model.dispose();
});

t('gives labels of a list back as they came, and those of a string trimmed', async () => {
  const model = await loadModel(golden('tiny/bert-nli'));
  const labels = async (given: string | string[]) => [...(await classifyZeroShot(model, 'It rains.', given)).labels].sort();
  for (const list of [[' sports ', 'news\n'], ['a', '', 'b'], [' '], ['a, b', 'c'], ['a', 'a']])
    assert.equal(await labels(list), [...list].sort());
  assert.equal(await labels(' sports , ,news\n,'), ['news', 'sports']);
  assert.equal(await labels('one'), ['one']);
  for (const none of [[], '', ' , ']) assert.is((await rejection(() => labels(none))).code, 'INVALID_LABEL');
  assert.is((await rejection(() => labels(['a', 7 as unknown as string]))).code, 'INVALID_ARG');
  model.dispose();
});

t.run();
