import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { BaseLLM, type BaseLLMCallOptions, type BaseLLMParams } from '@langchain/core/language_models/llms';
import { GenerationChunk, type LLMResult } from '@langchain/core/outputs';
import { TextWriter, usageOf, type WriterCallOptions, type WriterOptions } from '../shared/text-writer.js';

/** Options of a call beside LangChain's own (`signal`, `stop`, `timeout` …): `deadlineMs`, `priority`, and in `generation` settings of this call alone. */
export interface BerthaLLMCallOptions extends BaseLLMCallOptions, Omit<WriterCallOptions, 'signal'> {}

/**
 * A language model for LangChain, computed in this process: translations, summaries, and what a causal decoder goes on with. A prompt is what the model reads or goes on
 * from; there are no chats. `stream` tells parts that can no longer change; a signal ends a text between two steps. Beams stand back where a call has `stop` or streams.
 *
 * Errors of the constructor: INVALID_OPTION, INVALID_IDS.
 *
 * @example
 * const llm = new BerthaLLM({ model: 'Helsinki-NLP/opus-mt-en-de', numBeams: 4, maxNewTokens: 64 });
 * const german = await llm.invoke('Where is the station?');
 * await llm.dispose();
 */
export class BerthaLLM extends BaseLLM<BerthaLLMCallOptions> {
  readonly #writer: TextWriter;

  /** `params`: LangChain's own, such as `callbacks` and `cache`. */
  constructor(options: WriterOptions, params: BaseLLMParams = {}) {
    super(params);
    this.#writer = new TextWriter('BerthaLLM', options);
  }

  /** What LangChain calls this kind of model. */
  override _llmType(): string {
    return 'bertha';
  }

  /** What tells its answers from those of others, for caches. */
  override _identifyingParams(): Record<string, unknown> {
    return { model: this.#writer.modelName, ...this.#writer.settings };
  }

  /** What a call is traced with. */
  override invocationParams(options?: this['ParsedCallOptions']): Record<string, unknown> {
    return { ...this._identifyingParams(), ...options?.generation };
  }

  /** Texts for each prompt, with `finishReason` and `score`. Errors: those of `loadModel` and `generate`. */
  override async _generate(prompts: string[], options: this['ParsedCallOptions']): Promise<LLMResult> {
    const written = await this.#writer.write(prompts, callOf(options), options.stop);
    const usage = written.map(usageOf);
    const [promptTokens, completionTokens] = (['promptTokens', 'completionTokens'] as const).map((name) =>
      usage.reduce((sum, each) => sum + each[name], 0),
    ) as [number, number];
    return {
      generations: written.map((texts) =>
        texts.map(({ text, finishReason, score }) => ({ text, generationInfo: { finishReason, score } })),
      ),
      llmOutput: { tokenUsage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens } },
    };
  }

  /** Parts of a text. Errors: as `_generate`. */
  override async *_streamResponseChunks(
    prompt: string,
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<GenerationChunk> {
    for await (const { text, result } of this.#writer.stream(prompt, callOf(options), options.stop)) {
      if (text === '' && result === undefined) continue;
      const generationInfo = result === undefined ? {} : { finishReason: result.finishReason, score: result.score };
      yield new GenerationChunk({ text, generationInfo });
      await runManager?.handleLLMNewToken(text);
    }
  }

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  dispose(): Promise<void> {
    return this.#writer.dispose();
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

function callOf({ signal, deadlineMs, priority, generation }: WriterCallOptions): WriterCallOptions {
  return { signal, deadlineMs, priority, generation };
}
