import stringWidth from 'string-width';
import { unexpected } from '../../../expected.js';
import { type Embedder, type LoadModelOptions, loadEmbedder } from '../../../index.js';
import {
  segmentWords,
  type TextClassifier,
  type TextClassifierProgress,
  type TextEvaluation,
  trainTextClassifier,
} from '../../../learn/index.js';
import { readLabelledTexts } from '../../../learn/text-classifier/read-labelled-texts.js';
import type { ModelFlags } from '../../flags.js';
import { stopBar } from '../../terminal/bars.js';
import { showDownload } from '../../terminal/download-progress.js';
import { startBar } from '../../terminal/progress.js';
import { table } from '../../terminal/table.js';
import { visible } from '../../terminal/width.js';

/** The flags of `bertha classify-train`, as commander hands them over. */
export interface ClassifyTrainFlags extends ModelFlags {
  readonly text?: string;
  readonly label?: string;
  readonly output: string;
  readonly features: 'both' | 'bert' | 'tfidf';
  readonly testSize?: number;
  readonly testFile?: string;
  readonly c: number | 'search';
  readonly seed?: number;
  readonly segment?: boolean;
  readonly json?: boolean;
}

/** Trains a classifier on a file of texts and classes, writes it, and prints the report and the confusion matrix. */
export async function classifyTrain(file: string, flags: ClassifyTrainFlags): Promise<void> {
  const { features, testSize, testFile, segment, seed: randomState } = flags;
  if (flags.adapter !== undefined) {
    throw unexpected('INVALID_OPTION', 'a model without an adapter for classify-train', flags.adapter, {
      hint: 'Its classifier names the model alone, and would be read back without the adapter.',
    });
  }
  const columns = { text: flags.text, label: flags.label };
  const test = testFile === undefined ? undefined : await readLabelledTexts(testFile, columns);
  const embedder = features === 'tfidf' ? undefined : await embedderOf(flags);
  const progress = new Bars();
  try {
    const classifier = await trainTextClassifier({
      ...{ file, columns, test, features, testSize, randomState, embedder, C: flags.c },
      vectorizer: { tokenizer: segment === true ? segmentWords : undefined },
      onProgress: (state) => progress.show(state),
    }).finally(() => progress.stop());
    await classifier.save(flags.output);
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(summary(classifier), undefined, 2)}\n` : described(classifier, flags.output),
    );
  } finally {
    embedder?.dispose();
  }
}

/** The model that the flags name, the bundled one by default. */
export function embedderOf({ model, threads, precision, device, weightCache, adapter }: ModelFlags): Promise<Embedder> {
  return loadEmbedder(model, { threads, precision, device, weightCache, adapter, onProgress: showDownload() } as LoadModelOptions);
}

function summary({ evaluation, classes, features, model, temperature }: TextClassifier): object {
  return { classes, features, C: model.options.C, iterations: model.nIter, temperature, evaluation };
}

function described({ evaluation, classes, features, model, temperature }: TextClassifier, output: string): string {
  const how = `${features.join(' and ')}, C ${model.options.C}, temperature ${temperature.toFixed(3)}`;
  const head = `${output}: ${classes.length} classes from ${how}\n`;
  if (evaluation === undefined) return head;
  return `${head}\n${evaluation.report}\n${confusionTable(evaluation)}`;
}

/** Rows are true classes, columns predicted ones. */
function confusionTable({ classes, confusionMatrix }: TextEvaluation): string {
  const names = classes.map((label) => visible(String(label)));
  const first = 'true \\ predicted';
  const columns = [
    { name: first, width: Math.max(first.length, ...names.map(stringWidth)) },
    ...names.map((name, j) => ({
      name,
      width: Math.max(stringWidth(name), ...confusionMatrix.map((row) => String(row[j]).length)),
      align: 'right' as const,
    })),
  ];
  const rows = confusionMatrix.map((row, i) => [names[i]!, ...row.map(String)]);
  return table(columns, rows, { header: true });
}

const kWords: Readonly<Record<TextClassifierProgress['phase'], string>> = {
  embed: 'embedding',
  search: 'choosing C',
  calibrate: 'calibrating',
  fit: 'fitting',
};

/** A bar for each phase, where a person may be watching. */
class Bars {
  #phase: TextClassifierProgress['phase'] | undefined;
  #bar: ReturnType<typeof startBar> | undefined;

  show({ phase, done, of }: TextClassifierProgress): void {
    if (!process.stderr.isTTY) return;
    if (phase !== this.#phase) {
      this.stop();
      this.#bar = startBar(`${kWords[phase]} {bar} {value} of {total}`, of, 0);
      this.#phase = phase;
    }
    this.#bar?.update(done);
  }

  stop(): void {
    if (this.#bar !== undefined) stopBar(this.#bar);
    this.#bar = undefined;
  }
}
