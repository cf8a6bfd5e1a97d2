import { loadTextClassifier, type LabelScore } from '../../../learn/index.js';
import { openOutput } from '../../output.js';
import { scoreTable, textsOf, title, type TaskFlags, writeEach } from '../../task-runner.js';
import { embedderOf } from './classify-train.js';

/** Writes the classes of every text by a classifier of `bertha classify-train`, the likeliest first. */
export async function classifyByFeatures(
  texts: readonly string[],
  flags: TaskFlags,
  directory: string,
  topK: number | null | undefined,
): Promise<void> {
  const output = await openOutput(flags.output, { patchable: false });
  const embedder = flags.model === undefined ? undefined : await embedderOf(flags);
  try {
    const classifier = await loadTextClassifier(directory, { embedder });
    try {
      await writeEach<LabelScore[]>(texts, flags, output, {
        run: async (items) => (await classifier.classify(textsOf(items))).map((scores) => scores.slice(0, topK ?? undefined)),
        toObject: (labels) => ({ labels }),
        render: ({ text }, labels) => title(text, false) + scoreTable(labels.map(({ label, score }) => [score, String(label)])),
      });
      await output.finish();
    } finally {
      classifier.dispose();
    }
  } finally {
    embedder?.dispose();
  }
}
