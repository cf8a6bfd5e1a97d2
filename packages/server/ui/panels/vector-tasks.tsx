import { HeatMap } from '../parts/heat-map.js';
import { Scores } from '../parts/scores.js';
import { linesOf, type Task } from './task.js';
import { Attention, type AttentionAnswer } from './attention.js';
import { LongAttention } from './long-attention.js';
import { TokenTable, type TokenPlace } from './token-table.js';

const help = {
  en: 'Click on "Forgot password" to choose a new one.\nParcels are delivered within three working days.\nYou can return any item within 30 days for a refund.\nThe museum opens at nine.',
  zh: '点击“忘记密码”即可设置新密码。\n包裹会在三个工作日内送达。\n30 天内可以退货退款。\n博物馆九点开门。',
};

/** What is done with vectors, tokens and attention. */
export const vectorTasks: readonly Task[] = [
  {
    id: 'compare',
    title: { en: 'Compare', zh: '比较' },
    hint: { en: 'How near texts are to each other in meaning. One text a line.', zh: '文本之间含义的相近程度。每行一段文本。' },
    ability: 'embed',
    fields: [
      {
        name: 'texts',
        word: 'texts',
        kind: 'lines',
        sample: {
          en: 'A cat sits on the mat.\nA kitten rests on a rug.\nStocks fell sharply.\nShares lost a third of their value.',
          zh: '一只猫坐在垫子上。\n小猫在地毯上休息。\n股票大幅下跌。\n股价损失了三分之一。',
        },
      },
    ],
    ask: ({ texts }, model) => ({ path: 'embed', body: { inputs: linesOf(texts), normalize: true, model } }),
    show: (vectors: readonly (readonly number[])[], { texts }, words) => {
      const names = linesOf(texts);
      const values = vectors.map((a) => vectors.map((b) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)));
      return <HeatMap caption={words.similarity} rows={names} columns={names} values={values} />;
    },
  },
  {
    id: 'search',
    title: { en: 'Search', zh: '搜索' },
    hint: { en: 'The texts nearest to a query. Paste a text a line.', zh: '与查询最接近的文本。每行粘贴一段。' },
    ability: 'embed',
    fields: [
      { name: 'query', word: 'query', kind: 'line', sample: { en: 'How do I get into my account again?', zh: '怎样重新登录我的账户？' } },
      { name: 'documents', word: 'documents', kind: 'lines', sample: help },
    ],
    ask: ({ query, documents }, model) => ({
      path: 'tasks/search',
      body: { queries: query, documents: linesOf(documents), topK: 10, model },
    }),
    show: (found: readonly { readonly index: number; readonly score: number }[], { documents }, words) => {
      const lines = linesOf(documents);
      return (
        <Scores
          heading={words.score}
          nameHeading={words.documents}
          list={found.map(({ index, score }) => ({ name: lines[index]!, score }))}
        />
      );
    },
  },
  {
    id: 'rerank',
    title: { en: 'Rerank', zh: '重排' },
    hint: { en: 'A cross-encoder reads every document together with the query.', zh: '交叉编码器将每个文档与查询一起阅读。' },
    ability: 'rerank',
    fields: [
      { name: 'query', word: 'query', kind: 'line', sample: { en: 'When will my package arrive?', zh: '我的包裹什么时候到？' } },
      { name: 'documents', word: 'documents', kind: 'lines', sample: help },
    ],
    ask: ({ query, documents }, model) => ({ path: 'rerank', body: { query, texts: linesOf(documents), model } }),
    show: (ranks: readonly { readonly index: number; readonly score: number }[], { documents }, words) => {
      const lines = linesOf(documents);
      return (
        <Scores
          heading={words.score}
          nameHeading={words.documents}
          list={ranks.map(({ index, score }) => ({ name: lines[index]!, score }))}
        />
      );
    },
  },
  {
    id: 'tokens',
    title: { en: 'Tokens', zh: '词元' },
    hint: { en: 'What a model reads of a text, and where each token lies in it.', zh: '模型从文本中读到的词元及其位置。' },
    ability: null,
    fields: [
      {
        name: 'text',
        word: 'text',
        kind: 'text',
        sample: { en: 'Über 30 uncommonly long tokenizations, Zoë 🙂', zh: '分词器如何切分这句话？Zoë 🙂' },
      },
    ],
    ask: ({ text }, model) => ({ path: 'tokenize', body: { inputs: text, model } }),
    show: ([tokens]: readonly (readonly TokenPlace[])[], { text }, words) => <TokenTable text={text!} tokens={tokens!} words={words} />,
  },
  {
    id: 'attention',
    title: { en: 'Attention', zh: '注意力' },
    hint: { en: 'Where the heads of a layer look; of a long text one head at a time.', zh: '一层中各注意力头看向何处；长文本每次一个头。' },
    ability: 'embed',
    fields: [{ name: 'text', word: 'text', kind: 'line', sample: { en: 'The bank of the river was muddy.', zh: '河岸很泥泞。' } }],
    ask: ({ text }, model) => ({ path: 'tasks/attention', body: { inputs: text, model } }),
    show: (answer: AttentionAnswer, { text }, words, model) =>
      answer.truncated ? (
        <LongAttention key={text} first={answer} text={text!} model={model} words={words} />
      ) : (
        <Attention answer={answer} words={words} />
      ),
  },
];
