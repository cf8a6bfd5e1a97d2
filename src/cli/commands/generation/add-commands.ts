import { Option, type Command } from 'commander';
import { withCompute, withOutput, withTexts } from '../../flags.js';
import { generateFlags, summarizeFlags, translateFlags } from '../../flags/generation-flags.js';
import type { TaskFlags } from '../../task-runner.js';

/** Adds the commands that write texts. Their modules are loaded when they run. */
export function addGenerationCommands(program: Command): void {
  translateFlags
    .addTo(writing(program, 'translate', 'texts to translate', 'an encoder-decoder such as Helsinki-NLP/opus-mt-en-de'))
    .description('Translate texts.')
    .action(async (texts: string[], flags: TaskFlags) =>
      (await import('./texts.js')).translateTexts(texts, flags, translateFlags.read(flags)),
    );
  summarizeFlags
    .addTo(writing(program, 'summarize', 'texts to summarize', 'an encoder-decoder that was taught summaries'))
    .option('--whole', 'read the whole input as one text')
    .description('Summarize texts.')
    .action(async (texts: string[], flags: TaskFlags) =>
      (await import('./texts.js')).summarizeTexts(texts, flags, summarizeFlags.read(flags)),
    );
  generateFlags
    .addTo(writing(program, 'generate', 'texts to read, or to go on with', 'an encoder-decoder or a causal decoder'))
    .addOption(new Option('--stream', 'write a text as it comes (--format text)'))
    .description('Generate texts: what an encoder-decoder makes of a text, how a causal decoder goes on with it.')
    .action(async (texts: string[], flags: TaskFlags & { readonly stream?: true }) =>
      (await import('./texts.js')).generateTexts(texts, flags, generateFlags.read(flags)),
    );
}

function writing(program: Command, name: string, texts: string, model: string): Command {
  return withOutput(withCompute(withTexts(program.command(name), texts, `; needed: ${model}`)), ['table', 'jsonl', 'text']);
}
