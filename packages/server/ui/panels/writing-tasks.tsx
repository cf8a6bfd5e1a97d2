import { Written } from '../parts/written.js';
import { both, type Field, type Task, type Values } from './task.js';

const textField = (en: string, zh: string): Field => ({ name: 'text', word: 'text', kind: 'text', sample: { en, zh } });
const beams: Field = { name: 'beams', word: 'beams', kind: 'line', sample: both('1') };
const newTokens: Field = { name: 'newTokens', word: 'newTokens', kind: 'line', sample: both('') };

/** What a model writes appears word by word, but for beams, which change until the end. */
const show: Task['show'] = ({ text }: { readonly text: string }) => <Written text={text} />;
const common = { ability: 'generate', isWritten: true, show } as const;

/** Settings that were filled in, as numbers: what is none is the server's to refuse. */
function numbersOf(values: Values, names: Readonly<Record<string, string>>): Record<string, number | string> {
  const given = Object.entries(names).filter(([field]) => values[field]?.trim() !== '');
  return Object.fromEntries(
    given.map(([field, name]) => [name, Number.isNaN(Number(values[field])) ? values[field]! : Number(values[field])]),
  );
}

function bodyOf(values: Values, model: string): { readonly inputs: string; readonly numBeams?: number | string; readonly stream: boolean } {
  const settings = numbersOf(values, { beams: 'numBeams', newTokens: 'maxNewTokens' });
  return { inputs: values['text']!, model, ...settings, stream: settings['numBeams'] === 1 } as ReturnType<typeof bodyOf>;
}

/** What models that write can be tried with. */
export const writingTasks: readonly Task[] = [
  {
    ...common,
    id: 'translate',
    title: { en: 'Translate', zh: '翻译' },
    hint: { en: 'A text in another language, by a translator.', zh: '用翻译模型把文本译成另一种语言。' },
    fields: [
      textField('The house is wonderful. Where is the station?', '这座房子很漂亮。车站在哪里？'),
      { name: 'into', word: 'into', kind: 'line', sample: both('') },
      beams,
      newTokens,
    ],
    ask: (values, model) => {
      const { stream, ...body } = bodyOf(values, model);
      const into = values['into']!.trim();
      if (stream && into === '') return { path: 'tasks/generate', body: { ...body, stream } };
      return { path: 'tasks/translate', body: { ...body, split: 'sentences', ...(into !== '' && { targetLanguage: into }) } };
    },
  },
  {
    ...common,
    id: 'summarize',
    title: { en: 'Summarize', zh: '摘要' },
    hint: { en: 'What matters in a long text.', zh: '长文本的要点。' },
    fields: [
      textField(
        'The museum opens at nine. On Mondays it stays closed. Tickets cost five euros, children pay nothing.',
        '博物馆九点开门，周一闭馆。门票五欧元，儿童免费。',
      ),
      beams,
      newTokens,
    ],
    ask: (values, model) => {
      const { stream, ...body } = bodyOf(values, model);
      return { path: 'tasks/summarize', body: { ...body, ...(stream && { stream }) } };
    },
  },
  {
    ...common,
    id: 'generate',
    title: { en: 'Generate', zh: '生成' },
    hint: { en: 'How a model goes on with a text.', zh: '模型如何续写一段文本。' },
    fields: [
      textField('Once upon a time', '从前'),
      { name: 'newTokens', word: 'newTokens', kind: 'line', sample: both('24') },
      { name: 'temperature', word: 'temperature', kind: 'line', sample: both('') },
      { name: 'seed', word: 'seed', kind: 'line', sample: both('') },
    ],
    ask: (values, model) => {
      const settings = numbersOf(values, { newTokens: 'maxNewTokens', temperature: 'temperature', seed: 'seed' });
      const doSample = 'temperature' in settings || 'seed' in settings;
      return { path: 'tasks/generate', body: { inputs: values['text'], model, numBeams: 1, doSample, ...settings, stream: true } };
    },
  },
];
