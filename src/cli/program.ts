import { Command } from 'commander';
import type { DoctorFlags } from './commands/doctor.js';
import type { DownloadFlags } from './commands/download.js';
import type { EmbedFlags } from './commands/embed.js';
import type { InspectFlags } from './commands/inspect.js';
import type { TokenizeFlags } from './commands/tokenize.js';
import { embedFlags } from './flags/call-flags.js';
import { addPackageCommand, path, positive, withCompute, withOutput, withTexts } from './flags.js';
import { removeTemporaries } from './output.js';
import { stopBars } from './terminal/bars.js';
import { report } from './report.js';
import { addExplainCommands } from './commands/explain/add-commands.js';
import { addGenerationCommands } from './commands/generation/add-commands.js';
import { addLighteningCommands } from './commands/lightening/add-commands.js';
import { addLearningCommands } from './commands/learning/add-commands.js';
import { addPrecisionCommands } from './precision-commands.js';
import { addPretrainingCommands } from './pretraining-commands.js';
import { addTaskCommands } from './task-commands.js';
import { addTrainingCommands } from './training-commands.js';
import { addVectorCommands } from './vector-commands.js';
import { addWordCommands } from './commands/words/word-commands.js';
import { isStoreSearch, searchStore } from './commands/jobs.js';
import { version } from '../version.js';

/** Runs the command line and returns the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function run(args: readonly string[]): Promise<number> {
  removeTemporariesAtExit();
  // What a command writes tells its own errors; without a listener, a pipe closed early would also end the process with a stack trace.
  process.stdout.on('error', () => undefined);
  let code = 0;
  const program = buildProgram((exitCode) => (code = exitCode));
  let running: Command | undefined;
  program.hook('preAction', (_, command) => void (running = command));
  try {
    if (isStoreSearch(args)) return await searchStore(args.slice(1));
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, running);
  }
}

function buildProgram(setExitCode: (code: number) => void): Command {
  const program = new Command('bertha')
    .description('BERT, hardware accelerated: embeddings, tokens and every head from the command line.')
    .version(version)
    .showHelpAfterError('(add --help for more)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ bertha embed "A cat sits on the mat." "A kitten rests on a rug."
  $ bertha embed --file sentences.txt --format jsonl > vectors.jsonl
  $ cat sentences.txt | bertha embed - --format npy --output vectors.npy
  $ bertha tokenize "Tokenization, exactly."
  $ bertha fill-mask "The capital of France is [MASK]." --model path/to/bert
  $ bertha explain "What a film."
  $ bertha translate "The house is wonderful." --model path/to/opus-mt-en-de
  $ bertha download sentence-transformers/all-mpnet-base-v2
  $ bertha inspect path/to/model
  $ bertha index 'docs/**/*.md' --store notes.db
  $ bertha search "how are workers restarted" --store notes.db
  $ bertha serve --port 3000
  $ bertha doctor

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
    );

  program.commandsGroup('Texts and vectors:');
  const embedding = withCompute(withTexts(program.command('embed'), 'texts to embed'));
  embedFlags
    .addTo(withOutput(embedding, ['table', 'jsonl', 'npy', 'safetensors']))
    .description('Turn texts into vectors.')
    .option('--sparse', 'weights of words, of a SPLADE model (--format jsonl)')
    .option('--tokens', 'a vector for each token, of a ColBERT model (--format jsonl)')
    .action(async (texts: string[], flags: EmbedFlags) =>
      (await import('./commands/embed.js')).embed(texts, flags, embedFlags.read(flags)),
    );

  withOutput(withTexts(program.command('tokenize'), 'texts to tokenize'), ['table', 'jsonl'])
    .description('Show the tokens of texts, with ids and offsets (in UTF-16 units, as JavaScript counts).')
    .option('--max-length <n>', 'cut after so many tokens (default: never)', positive)
    .option('--no-special-tokens', 'leave out [CLS] and [SEP]')
    .action(async (texts: string[], flags: TokenizeFlags) => (await import('./commands/tokenize.js')).tokenize(texts, flags));

  addTaskCommands(program);
  addGenerationCommands(program);

  addVectorCommands(program, setExitCode);

  addExplainCommands(program);

  program.commandsGroup('Learning:');
  addTrainingCommands(program, setExitCode);
  addLearningCommands(program);
  addPretrainingCommands(program, setExitCode);
  addLighteningCommands(program, setExitCode);
  program.commandsGroup('Words:');
  addWordCommands(program, setExitCode);
  program.commandsGroup('Models and this machine:');

  const serving = 'Serve models over HTTP, as text-embeddings-inference, OpenAI, Cohere and Hugging Face do (package bertha-server).';
  addPackageCommand(program, { name: 'serve', argument: '[flags...]', description: serving }, async (flags) =>
    setExitCode(await (await import('./commands/serve.js')).serve(flags)),
  );

  addPrecisionCommands(program, setExitCode);

  program
    .command('download')
    .argument('<id>', 'id on the Hub, such as sentence-transformers/all-MiniLM-L6-v2')
    .description("Download a model from the Hub, or bring it up to date, in the cache that Python's libraries share.")
    .option('--revision <name>', 'branch, tag or commit (default: main)')
    .option('--cache-dir <path>', 'cache to use (default: HF_HUB_CACHE, or hub in HF_HOME)', path)
    .option('--verify', 'read cached files again and fetch damaged ones anew')
    .action(async (id: string, flags: DownloadFlags) => (await import('./commands/download.js')).download(id, flags));

  program
    .command('inspect')
    .argument('[directory]', 'model directory, or id on the Hub (default: the bundled model)')
    .description('Show what a model directory holds, whether it can be loaded, and why not.')
    .option('--json', 'print JSON')
    .action(async (directory: string | undefined, flags: InspectFlags) => {
      setExitCode(await (await import('./commands/inspect.js')).inspect(directory, flags));
    });

  program
    .command('doctor')
    .description('Check this installation: addon, instruction set, threads, CUDA, and the bundled model against stored values.')
    .option('--json', 'print JSON')
    .action(async (flags: DoctorFlags) => setExitCode(await (await import('./commands/doctor.js')).doctor(flags)));

  return program;
}

function removeTemporariesAtExit(): void {
  process.once('exit', stopBars);
  process.once('exit', removeTemporaries);
  process.once('SIGHUP', () => process.exit(129));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
