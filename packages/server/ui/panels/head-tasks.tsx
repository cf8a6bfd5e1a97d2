import { MarkedText } from '../parts/marked-text.js';
import { Scores } from '../parts/scores.js';
import { both, linesOf, type Task } from './task.js';

interface Placed {
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

const percent = (score: number): string => `${Math.round(100 * score)} %`;

/** What the heads of models say of texts. */
export const headTasks: readonly Task[] = [
  {
    id: 'classify',
    title: { en: 'Classify', zh: '分类' },
    hint: { en: 'The labels of a text.', zh: '文本的标签。' },
    ability: 'classify',
    fields: [{ name: 'text', word: 'text', kind: 'text', sample: { en: 'What a wonderful film.', zh: '多么精彩的电影。' } }],
    ask: ({ text }, model) => ({ path: 'tasks/classify', body: { inputs: text, topK: null, model } }),
    show: ({ labels }: { readonly labels: readonly { readonly label: string; readonly score: number }[] }, _values, words) => (
      <Scores heading={words.score} nameHeading={words.label} list={labels.map(({ label, score }) => ({ name: label, score }))} />
    ),
  },
  {
    id: 'zero-shot',
    title: { en: 'Zero-shot', zh: '零样本分类' },
    hint: { en: 'Labels of your own, without training.', zh: '无需训练，使用自定义标签。' },
    ability: 'zero-shot',
    fields: [
      { name: 'text', word: 'text', kind: 'text', sample: { en: 'The parcel never arrived.', zh: '包裹一直没有送到。' } },
      { name: 'labels', word: 'labels', kind: 'lines', sample: { en: 'delivery\npayment\nweather', zh: '配送\n付款\n天气' } },
    ],
    ask: ({ text, labels }, model) => ({ path: 'tasks/zero-shot', body: { inputs: text, labels: linesOf(labels), model } }),
    show: ({ labels, scores }: { readonly labels: readonly string[]; readonly scores: readonly number[] }, _values, words) => (
      <Scores heading={words.score} nameHeading={words.label} list={labels.map((name, i) => ({ name, score: scores[i]! }))} />
    ),
  },
  {
    id: 'ner',
    title: { en: 'Entities', zh: '命名实体' },
    hint: { en: 'Names in a text, coloured by their kind.', zh: '文本中的名称，按类别着色。' },
    ability: 'ner',
    fields: [
      {
        name: 'text',
        word: 'text',
        kind: 'text',
        sample: { en: 'Ada Lovelace worked with Charles Babbage in London.', zh: 'Ada Lovelace 在 London 与 Charles Babbage 一起工作。' },
      },
    ],
    ask: ({ text }, model) => ({ path: 'tasks/ner', body: { inputs: text, aggregationStrategy: 'simple', model } }),
    show: ({ entities }: { readonly entities: readonly (Placed & { readonly entityGroup: string })[] }, { text }, words) => (
      <>
        <MarkedText text={text!} spans={entities.map(({ start, end, entityGroup }) => ({ start, end, label: entityGroup }))} />
        {entities.length === 0 && <p>{words.none}</p>}
        <Scores
          heading={words.score}
          nameHeading={words.word}
          list={entities.map(({ start, end, score, entityGroup }) => ({ name: `${text!.slice(start, end)} · ${entityGroup}`, score }))}
        />
      </>
    ),
  },
  {
    id: 'qa',
    title: { en: 'Answers', zh: '问答' },
    hint: { en: 'The part of a context that answers a question.', zh: '上下文中回答问题的片段。' },
    ability: 'qa',
    fields: [
      { name: 'question', word: 'question', kind: 'line', sample: { en: 'Where does Sarah live?', zh: '莎拉住在哪里？' } },
      {
        name: 'context',
        word: 'context',
        kind: 'text',
        sample: { en: 'My name is Sarah and I live in London with two cats.', zh: '我叫莎拉，我和两只猫住在伦敦。' },
      },
    ],
    ask: ({ question, context }, model) => ({ path: 'tasks/qa', body: { inputs: { question, context }, topK: 3, model } }),
    show: ({ answers }: { readonly answers: readonly (Placed & { readonly answer: string })[] }, { context }, words) => {
      const [best] = answers;
      return (
        <>
          {best === undefined ? <p>{words.none}</p> : <MarkedText text={context!} spans={[{ ...best, label: percent(best.score) }]} />}
          <Scores heading={words.score} nameHeading={words.word} list={answers.map(({ answer, score }) => ({ name: answer, score }))} />
        </>
      );
    },
  },
  {
    id: 'fill-mask',
    title: { en: 'Fill the mask', zh: '填空' },
    hint: { en: 'What may stand at [MASK].', zh: '[MASK] 处可能出现的词。' },
    ability: 'fill-mask',
    fields: [{ name: 'text', word: 'text', kind: 'line', sample: { en: 'Paris is the [MASK] of France.', zh: '巴黎是法国的[MASK]都。' } }],
    ask: ({ text }, model) => ({ path: 'tasks/fill-mask', body: { inputs: text, topK: 5, model } }),
    show: (
      { masks }: { readonly masks: readonly { readonly candidates: readonly { readonly score: number; readonly sequence: string }[] }[] },
      _values,
      words,
    ) => (
      <>
        {masks.map(({ candidates }, i) => (
          <Scores
            key={i}
            heading={words.score}
            nameHeading={words.sequence}
            list={candidates.map(({ sequence, score }) => ({ name: sequence, score }))}
          />
        ))}
      </>
    ),
  },
  {
    id: 'nsp',
    title: { en: 'Next sentence', zh: '下一句' },
    hint: { en: 'Whether the second sentence follows the first.', zh: '第二句是否紧接第一句。' },
    ability: 'nsp',
    fields: [
      { name: 'first', word: 'first', kind: 'line', sample: { en: 'The kettle whistled.', zh: '水壶响了。' } },
      { name: 'second', word: 'second', kind: 'line', sample: { en: 'She poured the tea.', zh: '她倒了茶。' } },
    ],
    ask: ({ first, second }, model) => ({ path: 'tasks/nsp', body: { inputs: { text: first, textPair: second }, model } }),
    show: ({ isNext, notNext }: { readonly isNext: number; readonly notNext: number }, _values, words) => (
      <Scores
        heading={words.score}
        nameHeading={words.label}
        list={[
          { name: words.isNext, score: isNext },
          { name: words.notNext, score: notNext },
        ]}
      />
    ),
  },
  {
    id: 'multiple-choice',
    title: { en: 'Multiple choice', zh: '多项选择' },
    hint: { en: 'Which of several continuations fits best.', zh: '哪一个续写最合适。' },
    ability: 'multiple-choice',
    fields: [
      { name: 'text', word: 'text', kind: 'line', sample: { en: 'It rains, so she takes', zh: '下雨了，所以她带上' } },
      { name: 'choices', word: 'choices', kind: 'lines', sample: { en: 'an umbrella\na ladder\na spoon', zh: '雨伞\n梯子\n勺子' } },
    ],
    ask: ({ text, choices }, model) => ({ path: 'tasks/multiple-choice', body: { inputs: { text, choices: linesOf(choices) }, model } }),
    show: ({ scores }: { readonly scores: readonly number[] }, { choices }, words) => (
      <Scores heading={words.score} nameHeading={words.choices} list={linesOf(choices).map((name, i) => ({ name, score: scores[i]! }))} />
    ),
  },
  {
    id: 'replaced-tokens',
    title: { en: 'Replaced tokens', zh: '替换检测' },
    hint: { en: 'Which tokens look out of place.', zh: '哪些词元看起来不合适。' },
    ability: 'replaced-tokens',
    fields: [{ name: 'text', word: 'text', kind: 'text', sample: both('The quick brown fox jumps under the banana dog.') }],
    ask: ({ text }, model) => ({ path: 'tasks/replaced-tokens', body: { inputs: text, model } }),
    show: (
      {
        replacedTokens,
      }: {
        readonly replacedTokens: readonly (Placed & { readonly token: string; readonly replaced: boolean; readonly special: boolean })[];
      },
      { text },
      words,
    ) => (
      <>
        <p>{words.replacedHint}</p>
        <MarkedText
          text={text!}
          spans={replacedTokens
            .filter(({ replaced, special }) => replaced && !special)
            .map((each) => ({ ...each, label: percent(each.score) }))}
        />
        <Scores
          heading={words.score}
          nameHeading={words.token}
          list={replacedTokens.filter(({ special }) => !special).map(({ token, score }) => ({ name: token, score }))}
        />
      </>
    ),
  },
  {
    id: 'chunk',
    title: { en: 'Pieces', zh: '切分' },
    hint: { en: 'A long text cut where paragraphs and sentences end.', zh: '在段落和句子结尾处切分长文本。' },
    ability: 'embed',
    fields: [
      {
        name: 'text',
        word: 'text',
        kind: 'text',
        sample: {
          en: 'Cats sleep a lot. They hunt at dusk.\n\nDogs sleep less. They like company.',
          zh: '猫睡得很多。它们在黄昏捕猎。\n\n狗睡得少。它们喜欢陪伴。',
        },
      },
      { name: 'maxTokens', word: 'maxTokens', kind: 'line', sample: both('16') },
    ],
    ask: ({ text, maxTokens }, model) => ({ path: 'tasks/chunk', body: { inputs: text, maxTokens: Number(maxTokens), model } }),
    show: (chunks: readonly { readonly start: number; readonly end: number; readonly tokens: number }[], { text }, words) => (
      <MarkedText
        text={text!}
        spans={chunks.map(({ start, end, tokens }, i) => ({ start, end, label: `${i + 1}: ${tokens} ${words.tokensRead}` }))}
      />
    ),
  },
];
