import { InvalidArgumentError, Option, type Command } from 'commander';
import { number, path, positive, withCompute, withFiles, wholeNumber, type ModelFlags } from '../../flags.js';
import type { ExplainFlags } from './explain.js';
import type { AttentionFlags, RolloutFlags } from './attention.js';
import type { ErrorsFlags } from './errors.js';
import type { MapFlags } from './map.js';
import type { OutputFlags } from './output.js';
import type { ProbeFlags } from './probe.js';

const kMethods = ['integrated-gradients', 'gradient-x-input', 'gradient-norm', 'occlusion', 'leave-one-out', 'shapley'];
const kMapMethods = ['pca', 'umap'];

/** Adds `bertha explain` and what is under it. */
export function addExplainCommands(program: Command): void {
  const explaining = program
    .command('explain')
    .argument('[text]', 'the text whose answer is explained')
    .description(
      'Say what each word adds to an answer of a model; with a subcommand: similarity, attention, rollout, lens, probe, map, errors, tokens, training.',
    )
    .option('--pair <text>', 'the second text of a pair')
    .option('--question <text>', 'explain the answer to a question; the text is the context')
    .option('--target <label>', "the label, or the word for a mask (default: the model's answer)")
    .option('--versus <label>', 'subtract the score of another label or word')
    .option('--faithfulness', 'measure what the score loses without the best words; pages always have it')
    .option('--check', 'repeat it with layers drawn at random: then it should change')
    .addHelpText(
      'after',
      `
Examples:
  $ bertha explain "What a film."
  $ bertha explain "What a film." --method shapley --json
  $ bertha explain similarity "How do I reset it?" "Restarting the device"
  $ bertha explain attention "The cat was tired." --layers 0,5 --json
  $ bertha explain attention "$(cat article.txt)" --html heads.html --attention-file heads.bin
  $ bertha explain training runs/first runs/second --html curves.html
  $ bertha explain "What a film." --html why.html
  $ bertha explain map --file texts.txt --clusters 8 --output map.html`,
    );
  withAttribution(withModel(explaining)).action(async (text: string | undefined, flags: ExplainFlags) =>
    (await import('./explain.js')).explainText(text, flags),
  );

  const similarity = explaining
    .command('similarity')
    .argument('<first>', 'a text')
    .argument('<second>', 'the text to compare it with')
    .description('Say which words make two texts similar.');
  withAttribution(withModel(similarity)).action(async (first: string, second: string, _: unknown, command: Command) =>
    (await import('./explain.js')).explainTwo(first, second, command.optsWithGlobals<ExplainFlags>()),
  );

  withTextOrPair(explaining, 'attention', 'Show where the heads of a model read.')
    .option('--layers <numbers>', 'layers, from 0, with commas between them (default: all)', numbers)
    .option('--heads <numbers>', 'heads, from 0, with commas between them (default: all)', numbers)
    .addOption(new Option('--weights <kind>', 'what tokens get, or how much of them heads hand on').choices(['probability', 'norm']))
    .option('--attention-file <path>', 'write all heads there, for the page to open: it has room for some alone where texts are long', path)
    .action(withGlobals(async (text: string, flags: AttentionFlags) => (await import('./attention.js')).showAttention(text, flags)));

  withTextOrPair(explaining, 'rollout', 'Show what of each token reaches the last layer, by attention alone.')
    .option('--residual <share>', 'how much of a token passes a layer by (default: 0.5)', number)
    .addOption(new Option('--reduce <name>', "what becomes of a layer's heads (default: mean)").choices(['mean', 'max']))
    .action(withGlobals(async (text: string, flags: RolloutFlags) => (await import('./attention.js')).showRollout(text, flags)));

  const lens = explaining
    .command('lens')
    .argument('<text>', 'a text with [MASK]')
    .description('Show what the masked-word head reads in each layer; needs a model with that head.');
  withModel(lens)
    .option('-k, --top-k <n>', 'words for each layer', positive, 3)
    .action(withGlobals(async (text: string, flags: ExplainFlags & { topK: number }) => (await import('./lens.js')).showLens(text, flags)));

  withLabelled(explaining, 'errors')
    .description('Say what a classifier gets wrong of a file, and which words led it there.')
    .option('--worst <n>', 'texts to show of each label', wholeNumber, 5)
    .action(withGlobals(async (file: string, flags: ErrorsFlags) => (await import('./errors.js')).showErrors(file, flags)));

  const reading = explaining
    .command('tokens')
    .argument('<texts...>', 'texts')
    .description('Show the tokens of texts as a model reads them.');
  withModel(reading).action(
    withGlobals(async (texts: string[], flags: ModelFlags & OutputFlags) => (await import('./tokens.js')).showTokens(texts, flags)),
  );

  withOutputs(explaining.command('training').argument('<runs...>', 'folders of runs, their log.jsonl, or event files of TensorBoard'))
    .description('Show the curves of training runs, over each other.')
    .action(withGlobals(async (runs: string[], flags: OutputFlags) => (await import('./training.js')).showTraining(runs, flags)));

  withLabelled(explaining, 'probe')
    .description('Find out from which layers the labels of texts can be read.')
    .option('--seed <n>', 'of the split and of control labels (default: 1)', wholeNumber)
    .action(withGlobals(async (file: string, flags: ProbeFlags) => (await import('./probe.js')).showProbe(file, flags)));

  addMapCommand(explaining);
  addMapCommand(program);
}

/** `bertha explain map`, which is `bertha map` too. */
function addMapCommand(parent: Command): void {
  const mapping = withFiles(parent.command('map'))
    .argument('[texts...]', 'texts; without any, lines of standard input')
    .description('Put texts into clusters, with the words that tell them apart and a place in the plane.');
  withModel(mapping)
    .addOption(
      new Option('--method <name>', 'how texts get their places (default: pca; umap needs the package umap-js)').choices(kMapMethods),
    )
    .option('--clusters <n>', 'clusters (default: 8)', positive)
    .option('--keywords <n>', 'words for each cluster (default: 8)', wholeNumber)
    .option('--seed <n>', 'of first centres and of UMAP (default: 1)', wholeNumber)
    .action(withGlobals(async (texts: string[], flags: MapFlags) => (await import('./map.js')).showMap(texts, flags)));
}

/** A command that looks at a text, or a pair. */
function withTextOrPair(parent: Command, name: string, description: string): Command {
  const command = parent.command(name).argument('<text>', 'a text').description(description);
  return withModel(command).option('--pair <text>', 'the second text of a pair');
}

/** A command that reads a file of labelled texts. */
function withLabelled(parent: Command, name: string): Command {
  return withModel(parent.command(name).argument('<file>', 'labelled texts: .csv, .tsv, .jsonl or .json', path))
    .option('--text <name>', 'the column of the texts (default: found)')
    .option('--label <name>', 'the column of the labels (default: found)');
}

function withModel(command: Command): Command {
  return withOutputs(
    withCompute(command.option('-m, --model <model>', 'model directory, or id on the Hub (default: the bundled all-MiniLM-L6-v2)')),
  );
}

/** Adds where results go, and how. */
function withOutputs(command: Command): Command {
  return command
    .option('--json', 'print JSON')
    .option(
      '-o, --output <path>',
      'write there instead of to standard output: a page for .html, a picture for .svg, JSON for .json, else lines',
      path,
    )
    .option('--html <path>', 'write a page, one file that needs no other', path)
    .option('--svg <path>', 'write a picture', path)
    .addOption(
      new Option('--language <tag>', 'language of labels (default: the system’s; of a page its reader’s)').choices(['auto', 'en', 'zh']),
    );
}

function withAttribution(command: Command): Command {
  return command
    .addOption(
      new Option('--method <name>', 'how words get their values (default: integrated-gradients)').choices(kMethods).argParser(knownMethod),
    )
    .option('--baseline <name>', 'what stands for the absence of a word: pad, mask, zero or a token (default: pad)')
    .option('--steps <n>', 'points of integrated gradients (default: as many as it takes)', positive)
    .addOption(new Option('--units <kind>', 'what gets a value (default: words)').choices(['tokens', 'words', 'segments', 'sentences']))
    .option('--pairs <n>', 'pairs of orders of Shapley values (default: 8)', positive)
    .option('--seed <n>', 'of all that is drawn (default: 1)', wholeNumber);
}

/** `bertha explain` reads the options of its subcommands first: what does not fit the one that is run, that one refuses. */
function knownMethod(value: string): string {
  if (![...kMethods, ...kMapMethods].includes(value)) throw new InvalidArgumentError(`Allowed choices are ${kMethods.join(', ')}.`);
  return value;
}

function numbers(value: string): number[] {
  const list = value.split(',').map((each) => each.trim());
  if (list.some((each) => !/^[0-9]{1,4}$/.test(each))) throw new InvalidArgumentError('Expected whole numbers with commas between them.');
  return list.map(Number);
}

/** An action of a subcommand that takes one argument, with the options of `bertha explain` itself too. */
function withGlobals<A, F extends OutputFlags>(run: (argument: A, flags: F) => Promise<void>) {
  return (argument: A, _: unknown, command: Command): Promise<void> => run(argument, command.optsWithGlobals<F>());
}
