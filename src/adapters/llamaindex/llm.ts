import {
  BaseLLM,
  type ChatMessage,
  type ChatResponse,
  type ChatResponseChunk,
  type LLMChatParamsNonStreaming,
  type LLMChatParamsStreaming,
  type LLMMetadata,
} from '@llamaindex/core/llms';
import { unexpected } from '../../expected.js';
import { TextWriter, type WriterCallOptions, type WriterOptions } from '../shared/text-writer.js';

/** Tokens that a model is taken to have room for until it is loaded. */
const usualPositions = 512;

type Asked = LLMChatParamsStreaming<WriterCallOptions> | LLMChatParamsNonStreaming<WriterCallOptions>;

/**
 * A language model for LlamaIndex.TS, computed in this process: `Settings.llm = new BerthaLLM({ model })`. What the messages say, joined by blank lines, is what the model reads or goes
 * on from; it knows no chats and no tools. `additionalChatOptions` takes `signal`, `deadlineMs`, `priority`, and in `generation` settings of the call alone.
 *
 * Errors of the constructor: INVALID_OPTION, INVALID_IDS.
 *
 * @example
 * const llm = new BerthaLLM({ model: 'Helsinki-NLP/opus-mt-en-de', numBeams: 4 });
 * const { text } = await llm.complete({ prompt: 'Where is the station?' });
 * await llm.dispose();
 */
export class BerthaLLM extends BaseLLM<WriterCallOptions> {
  readonly #writer: TextWriter;

  constructor(options: WriterOptions) {
    super();
    this.#writer = new TextWriter('BerthaLLM', options);
  }

  /** `contextWindow`: the decoder's positions, 512 until the model is loaded. */
  get metadata(): LLMMetadata {
    const { temperature, topP, maxNewTokens } = this.#writer.settings;
    return {
      model: this.#writer.modelName,
      temperature: temperature ?? 1,
      topP: topP ?? 1,
      maxTokens: maxNewTokens ?? undefined,
      contextWindow: this.#writer.positions ?? usualPositions,
      tokenizer: undefined,
      structuredOutput: false,
    };
  }

  /** An answer, whole or in parts; `raw` is what `generate` or `generateStream` gave. Errors: INVALID_ARG for tools, formats and what is no text; those of `loadModel` and `generate`. */
  chat(params: LLMChatParamsStreaming<WriterCallOptions>): Promise<AsyncIterable<ChatResponseChunk>>;
  chat(params: LLMChatParamsNonStreaming<WriterCallOptions>): Promise<ChatResponse>;
  async chat(params: Asked): Promise<AsyncIterable<ChatResponseChunk> | ChatResponse> {
    const { messages, tools, responseFormat, additionalChatOptions: call, stream } = params;
    if ((tools?.length ?? 0) > 0 || responseFormat !== undefined) {
      throw unexpected('INVALID_ARG', 'neither tools nor a responseFormat for BerthaLLM', 'one', { hint: 'It writes texts alone.' });
    }
    const prompt = messages.map(textOf).join('\n\n');
    if (stream === true) return this.#parts(prompt, call);
    const [texts] = await this.#writer.write([prompt], call);
    const [best] = texts!;
    return { message: { role: 'assistant', content: best!.text }, raw: best! };
  }

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  dispose(): Promise<void> {
    return this.#writer.dispose();
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async *#parts(prompt: string, call: WriterCallOptions | undefined): AsyncGenerator<ChatResponseChunk, void, undefined> {
    for await (const part of this.#writer.stream(prompt, call)) yield { delta: part.text, raw: part };
  }
}

function textOf({ content, role }: ChatMessage): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      throw unexpected('INVALID_ARG', 'texts alone in the messages of BerthaLLM', `a part of type ${part.type} of ${role}`);
    })
    .join('\n');
}
