/** What models learn that read one text and write another: the same, but for how texts are scored. */
export const seq2SeqTasks = ['translation', 'summarization'] as const;

/** One of them. */
export type Seq2SeqTask = (typeof seq2SeqTasks)[number];

/** Whether a task is one of texts that are written. */
export function isSeq2SeqTask(task: string): task is Seq2SeqTask {
  return (seq2SeqTasks as readonly string[]).includes(task);
}
