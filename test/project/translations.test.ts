// What scripts/rules/translations.mjs finds where a Chinese page does not say what the English one says.
import * as assert from 'uvu/assert';
import { translationBreaches } from '../../scripts/rules/translations.mjs';
import { suite } from '../support/suite.js';

const t = suite('Chinese pages');

const english = `# Words

English · [中文](zh-CN/words.md)

Trains on 1,060,000 words with \`window\` 5, see [speed](#speed) and [tasks](tasks.md#masked-words).

- one
- two

\`\`\`js
const kv = await load('words.vec'); // of 300 numbers
// what is near
await kv.similar('https://a.b//c');
\`\`\`

## Speed

| | words/s | |
|---|---|---|
| \`skip-gram\` | 2.5 million | 8.2x |
`;
const chinese = `# 词向量

[English](../words.md) · 中文

在 1,060,000 个词上训练，\`window\` 为 5，见[速度](#速度)和[任务](tasks.md#填空)。

- 一
- 二

\`\`\`js
const kv = await load('words.vec'); // 300 个数
// 附近有什么
await kv.similar('https://a.b//c');
\`\`\`

## 速度

| | 词/s | |
|---|---|---|
| \`skip-gram\` | 250 万 | 8.2x |
`;
const tasks = {
  'docs/tasks.md': '# Tasks\n[中文](zh-CN/tasks.md)\n## Masked words\n',
  'docs/zh-CN/tasks.md': '# 任务\n[English](../tasks.md)\n## 填空\n',
};

function breaches(translation: string, original = english): string[] {
  const pages: Readonly<Record<string, string>> = {
    ...tasks,
    ...{ 'docs/words.md': original, 'docs/zh-CN/words.md': translation, 'docs/zh-CN/README.md': '# 目录\n', 'docs/hub.md': '# Hub\n' },
  };
  return translationBreaches(Object.keys(pages), (file) => pages[file]!);
}

t('takes a page whose headings, code, tables, figures, names and links agree', () => {
  assert.equal(breaches(chinese), []);
});

t('wants the two pages to link to each other below their titles', () => {
  assert.equal(
    translationBreaches(['README.md', 'README.zh-CN.md'], () => '# Bertha\n'),
    [
      'README.zh-CN.md:1: expected a link to README.md below the title, got none',
      'README.md:1: expected a link to README.zh-CN.md below the title, got none',
    ],
  );
});

/** What is changed in the Chinese page, and the whole breach that follows. */
const changes: readonly { readonly what: string; readonly from: string; readonly to: string; readonly breach: string }[] = [
  {
    what: 'a heading of another level',
    from: '## 速度',
    to: '### 速度',
    breach: ":16: expected '## Speed' as in docs/words.md:16, got '### 速度'",
  },
  {
    what: 'a heading left out',
    from: '## 速度\n',
    to: '',
    breach: ":1: expected '## Speed' as in docs/words.md:16, got no further heading",
  },
  {
    what: 'a heading more',
    from: '- 一',
    to: '## 一\n\n# 二',
    breach: ":9: expected no further heading as in docs/words.md:16, got '# 二'",
  },
  {
    what: 'a changed line of code',
    from: "similar('https://a.b//c')",
    to: "similar('https://a.b//d')",
    breach: ":13: expected 'await kv.similar('https://a.b//c');' as in docs/words.md:13, got 'await kv.similar('https://a.b//d');'",
  },
  {
    what: 'a changed figure of a comment',
    from: '// 300 个数',
    to: '// 100 个数',
    breach:
      ":11: expected 'const kv = await load('words.vec'); // of 300 numbers' as in docs/words.md:11, got 'const kv = await load('words.vec'); // 100 个数'",
  },
  {
    what: 'a line of code left out',
    from: "await kv.similar('https://a.b//c');\n",
    to: '',
    breach: ":13: expected 'await kv.similar('https://a.b//c');' as in docs/words.md:13, got the end of the block",
  },
  { what: 'another language', from: '```js', to: '```ts', breach: ":10: expected a block of 'js' as in docs/words.md:10, got 'ts'" },
  {
    what: 'a changed figure of a table',
    from: '8.2x',
    to: '8.3x',
    breach: ':20: expected 8.2 in column 3 as in docs/words.md:20, got 8.3',
  },
  {
    what: 'a changed large figure of a table',
    from: '250 万',
    to: '25 万',
    breach: ':20: expected 2500000 in column 2 as in docs/words.md:20, got 250000',
  },
  { what: 'a column more', from: '| 8.2x |', to: '| 8.2x | |', breach: ':20: expected 3 columns as in docs/words.md:20, got 4' },
  {
    what: 'a row more',
    from: '|---|---|---|',
    to: '|---|---|---|\n| | | |',
    breach: ':18: expected a table of 3 lines as in docs/words.md:18, got 4',
  },
  {
    what: 'a changed figure of the text',
    from: '为 5',
    to: '为 6',
    breach: ':1: expected the figure 5 as in docs/words.md:5, got a section without it',
  },
  { what: 'a list item left out', from: '- 二\n', to: '', breach: ':1: expected 2 items of lists as in docs/words.md:1, got 1' },
  {
    what: 'a link to the English page where a Chinese one is there',
    from: '(tasks.md#填空)',
    to: '(../tasks.md)',
    breach: ':1: expected a link to docs/zh-CN/tasks.md#填空 as in docs/words.md:5, got a section without it',
  },
  {
    what: 'an anchor that is not there',
    from: '(#速度)',
    to: '(#speed)',
    breach: ':1: expected a link to docs/zh-CN/words.md#速度 as in docs/words.md:5, got a section without it',
  },
];

for (const { what, from, to, breach } of changes)
  t(`tells ${what}`, () => {
    assert.ok(chinese.includes(from), from);
    const found = breaches(chinese.replace(from, to));
    assert.ok(found.includes(`docs/zh-CN/words.md${breach}`), found.join('\n'));
  });

t('tells a name in backquotes on both sides', () => {
  assert.equal(breaches(chinese.replace('`window`', '`windows`')), [
    'docs/zh-CN/words.md:1: expected `window` as in docs/words.md:5, got a section without it',
    'docs/zh-CN/words.md:5: expected no `windows` as in docs/words.md:1, got it',
  ]);
});

t('tells what only the English page changed, and a translation of no page', () => {
  assert.is(breaches(chinese, english.replace('1,060,000', '1,070,000')).length, 1);
  assert.equal(
    translationBreaches(['docs/zh-CN/attic.md'], () => ''),
    ['docs/zh-CN/attic.md:1: expected a page docs/attic.md that it translates, got none'],
  );
});

t.run();
