import { Presets, SingleBar } from 'cli-progress';
import type { CallbackContext, TrainerCallback } from '../callbacks/callback.js';

const kFormat = 'train {bar} {value}/{total} | loss {loss} | lr {lr} | {rate} tokens/s | {eta_formatted} left';

/** A bar on standard error: step, loss since the last log, learning rate, tokens per second, time left. */
export class ProgressBar implements TrainerCallback {
  #bar: SingleBar | undefined;
  #begun = { at: 0, tokens: 0 };
  #loss = '…';

  onTrainBegin({ state }: CallbackContext): void {
    this.#begun = { at: performance.now(), tokens: state.numInputTokensSeen };
    this.#bar = new SingleBar({ format: kFormat, stream: process.stderr, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
    this.#bar.start(state.maxSteps, state.globalStep, { loss: '…', lr: '…', rate: '…' });
  }

  onStepEnd({ state }: CallbackContext): void {
    const steps = state.globalStep - state.lastLogged;
    if (steps > 0) this.#loss = (state.lossSum / steps).toPrecision(4);
    const seconds = (performance.now() - this.#begun.at) / 1000;
    const rate = Math.round((state.numInputTokensSeen - this.#begun.tokens) / Math.max(seconds, 1e-3));
    this.#bar?.update(state.globalStep, { loss: this.#loss, lr: state.learningRate.toExponential(2), rate });
  }

  onClose(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
