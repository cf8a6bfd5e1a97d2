import type { Budget } from '../../runtime/event-loop-budget.js';
import { unexpected } from '../../expected.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { BatchPlan, PlanBatches, PlannedBatch } from '../trainer/batch-plan.js';
import { epochOrderInTurns, shuffleInTurns } from '../trainer/sampling.js';
import { quote } from '../../checkpoint/describe.js';
import type { HeadExample } from './heads-collator.js';

/** How often each head learns. */
export interface HeadSampling {
  /** By the batches that its rows make, by their number ^ (1 / temperature), or each as often as the others. */
  readonly sampling: 'proportional' | 'temperature' | 'uniform';
  readonly temperature: number;
}

/** Streams of random numbers of the heads' order, behind those of the rows'. */
const kFirstStream = 2 ** 32;

/**
 * Plans batches of one head each. An epoch has about as many batches as all rows make; each head has its share of them, and at least one, in a drawn order. A
 * head goes through its rows as it would alone, again and again, beyond the ends of epochs. All of it is a function of (dataSeed, epoch).
 *
 * Errors, of the function that it returns: INVALID_ARG for a head without a batch.
 */
export function planHeads(names: readonly string[], how: HeadSampling): PlanBatches {
  return (examples, args) => {
    const all = examples as readonly HeadExample[];
    const heads = names.map((name, head) => {
      const own = all.filter((example) => example.head === head);
      return new RowsOfHead(name, own, args);
    });
    const quotas = shares(
      heads.map(({ batches }) => batches),
      how,
    );
    return new HeadsPlan(heads, quotas, args.dataSeed);
  };
}

/** Batches that each head has in an epoch, of the batches that its rows make. */
export function shares(batches: readonly number[], { sampling, temperature }: HeadSampling): number[] {
  const exponent = { proportional: 1, temperature: 1 / temperature, uniform: 0 }[sampling];
  const weights = batches.map((count) => count ** exponent);
  const sum = (list: readonly number[]): number => list.reduce((total, each) => total + each, 0);
  const [all, whole] = [sum(batches), sum(weights)];
  return weights.map((weight) => Math.max(1, Math.round((all * weight) / whole)));
}

class HeadsPlan implements BatchPlan {
  readonly length: number;
  readonly #heads: readonly RowsOfHead[];
  readonly #quotas: readonly number[];
  readonly #seed: number;

  constructor(heads: readonly RowsOfHead[], quotas: readonly number[], seed: number) {
    this.#heads = heads;
    this.#quotas = quotas;
    this.#seed = seed;
    this.length = quotas.reduce((sum, quota) => sum + quota, 0);
  }

  async batches(epoch: number, budget: Budget): Promise<PlannedBatch[]> {
    const order = new Uint32Array(this.length);
    let begin = 0;
    for (const [head, quota] of this.#quotas.entries()) order.fill(head, begin, (begin += quota));
    await shuffleInTurns(budget, order, this.#seed, kFirstStream + epoch);
    const own = this.#heads.map((head, i) => head.from(epoch * this.#quotas[i]!, budget));
    const planned: PlannedBatch[] = [];
    for (const head of order) {
      if (budget.isSpent) await budget.yield();
      planned.push((await own[head]!.next()).value!);
    }
    return planned;
  }
}

/** The rows of one head. */
class RowsOfHead {
  /** Batches of one time through the rows. */
  readonly batches: number;
  readonly #examples: readonly HeadExample[];
  readonly #lengths: Uint32Array;
  readonly #args: TrainingArguments;

  constructor(name: string, examples: readonly HeadExample[], args: TrainingArguments) {
    const { perDeviceTrainBatchSize: size, dataloaderDropLast: dropsLast } = args;
    this.#examples = examples;
    this.#lengths = Uint32Array.from(examples, ({ tokens }) => tokens);
    this.#args = args;
    this.batches = dropsLast ? Math.floor(examples.length / size) : Math.ceil(examples.length / size);
    if (this.batches > 0) return;
    const least = dropsLast ? `at least perDeviceTrainBatchSize (${size}) rows` : 'at least one row';
    throw unexpected('INVALID_ARG', `${least} to learn from for head ${quote(name)}`, examples.length);
  }

  /** Its batches from the `first`th on, without end. */
  async *from(first: number, budget: Budget): AsyncGenerator<PlannedBatch, never, undefined> {
    const size = this.#args.perDeviceTrainBatchSize;
    for (let epoch = Math.floor(first / this.batches), begin = first % this.batches; ; epoch++, begin = 0) {
      const order = await epochOrderInTurns(budget, this.#args, epoch, this.#examples.length, this.#lengths);
      for (let batch = begin; batch < this.batches; batch++) {
        const rows = order.subarray(batch * size, (batch + 1) * size);
        yield { examples: Array.from(rows, (row) => this.#examples[row]!), epoch };
      }
    }
  }
}
