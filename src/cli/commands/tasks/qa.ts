import { colors } from '../../terminal/colors.js';
import { answerQuestion, type AnsweredQuestion, type AnswerOptions } from '../../../index.js';
import { runTextTask, scoreTable, type TaskFlags } from '../../task-runner.js';
import { visible } from '../../terminal/width.js';

/** UTF-16 units of the text shown on either side of the best answer. */
const kContext = 60;

/** Writes the answers that every context gives to a question. */
export async function qa(question: string, contexts: readonly string[], flags: TaskFlags, options: AnswerOptions): Promise<void> {
  await runTextTask<AnsweredQuestion>(contexts, flags, {
    head: 'question-answering',
    run: (model, items) =>
      answerQuestion(
        model,
        items.map(({ text: context }) => ({ question, context })),
        options,
      ),
    toObject: ({ answers, windows, tokens }) => ({ question, answers, windows, tokens }),
    render: ({ text: context }, { answers }) =>
      `${answers.length > 0 ? inContext(context, answers[0]!.start, answers[0]!.end) : visible(context.slice(0, kContext))}\n` +
      scoreTable(answers.map(({ score, answer }) => [score, answer === '' ? '(no answer)' : answer])),
  });
}

function inContext(context: string, start: number, end: number): string {
  const from = Math.max(0, start - kContext);
  const to = Math.min(context.length, end + kContext);
  const before = `${from > 0 ? '…' : ''}${visible(context.slice(from, start))}`;
  return `${before}${colors.bold(colors.green(visible(context.slice(start, end))))}${visible(context.slice(end, to))}${to < context.length ? '…' : ''}`;
}
