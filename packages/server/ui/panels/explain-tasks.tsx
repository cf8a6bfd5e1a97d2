import { AttributedText, type Attribution } from '../parts/attributed-text.js';
import { both, type Field, type Task } from './task.js';

interface Explanation extends Attribution {
  readonly target: { readonly label: string };
}

interface Similarity {
  readonly cosine: number;
  readonly a: Attribution;
  readonly b: Attribution;
}

interface Lens {
  readonly masks: readonly {
    readonly position: number;
    readonly layers: readonly {
      readonly layer: number;
      readonly words: readonly { readonly word: string; readonly logProbability: number }[];
    }[];
  }[];
}

const methods = ['integrated-gradients', 'occlusion', 'leave-one-out', 'shapley', 'gradient-x-input', 'gradient-norm'];
const method: Field = { name: 'method', word: 'method', kind: 'line', choices: methods, sample: both(methods[0]!) };

/** What answers hang on. */
export const explainTasks: readonly Task[] = [
  {
    id: 'explain',
    title: { en: 'Why this label?', zh: '为何是这个标签？' },
    hint: {
      en: 'What each word adds to the score of the label, against a baseline without words. Orange raises it, blue lowers it. It explains the model, not the world.',
      zh: '与没有词语的基线相比，每个词对标签得分的贡献。橙色提高得分，蓝色降低得分。这解释的是模型，而不是世界。',
    },
    ability: 'classify',
    fields: [
      {
        name: 'text',
        word: 'text',
        kind: 'text',
        sample: { en: 'What a wonderful film, and what a terrible ending.', zh: '多么精彩的电影，多么糟糕的结局。' },
      },
      { name: 'target', word: 'target', kind: 'line', sample: both('') },
      method,
    ],
    ask: ({ text, target, method: chosen }, model) => ({
      path: 'tasks/explain',
      body: { inputs: text, method: chosen, ...(target === '' ? {} : { target: { label: target } }), model },
    }),
    show: (found: Explanation, _values, words) => (
      <>
        <h3>
          {words.label}: {found.target.label}
        </h3>
        <AttributedText attribution={found} words={words} />
      </>
    ),
  },
  {
    id: 'explain-similarity',
    title: { en: 'Why similar?', zh: '为何相似？' },
    hint: {
      en: 'What each word adds to the cosine of two texts, the other text being fixed.',
      zh: '另一段文本不变时，每个词对两段文本余弦相似度的贡献。',
    },
    ability: 'embed',
    fields: [
      { name: 'first', word: 'first', kind: 'line', sample: { en: 'How do I reset it?', zh: '怎样重置它？' } },
      { name: 'second', word: 'second', kind: 'line', sample: { en: 'Restarting the device', zh: '重新启动设备' } },
      method,
    ],
    ask: ({ first, second, method: chosen }, model) => ({
      path: 'tasks/explain-similarity',
      body: { a: first, b: second, method: chosen, model },
    }),
    show: ({ cosine, a, b }: Similarity, _values, words) => (
      <>
        <h3>
          {words.similarity}: {cosine.toFixed(3)}
        </h3>
        <AttributedText attribution={a} words={words} />
        <AttributedText attribution={b} words={words} />
      </>
    ),
  },
  {
    id: 'lens',
    title: { en: 'Layer by layer', zh: '逐层透视' },
    hint: {
      en: 'What the head of masked words reads in the output of each layer. It was trained on the last one alone.',
      zh: '掩码词任务头在每一层输出里读到的词。它只在最后一层上训练过。',
    },
    ability: 'fill-mask',
    fields: [{ name: 'text', word: 'text', kind: 'line', sample: { en: 'Paris is the [MASK] of France.', zh: '巴黎是法国的[MASK]都。' } }],
    ask: ({ text }, model) => ({ path: 'tasks/lens', body: { inputs: text, topK: 4, model } }),
    show: ({ masks }: Lens, _values, words) => (
      <>
        {masks.map(({ position, layers }) => (
          <table key={position} class="list">
            <caption>
              {words.layerByLayer}: [MASK] {position}
            </caption>
            <tbody>
              {layers.toReversed().map(({ layer, words: best }) => (
                <tr key={layer}>
                  <th scope="row">{layer === 0 ? words.embeddings : layer}</th>
                  {best.map(({ word, logProbability }) => (
                    <td key={word}>
                      <bdi>{word}</bdi> {Math.round(100 * Math.exp(logProbability))} %
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      </>
    ),
  },
];
