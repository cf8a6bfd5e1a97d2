import { type Command, InvalidArgumentError, Option } from 'commander';
import { path, positive, wholeNumber, withCompute, withThreads } from '../../flags.js';
import type { DistillVectorsFlags } from '../vectors/distill.js';
import type { Trainer, WordTrainingFlags } from './train-words.js';
import type { ConvertFlags, EvalFlags, PlotFlags, QueryFlags } from './query-words.js';

/** Adds the commands of word vectors: `word2vec`, `fasttext`, `glove`, and `vectors` with what is done with their files. */
export function addWordCommands(program: Command, setExitCode: (code: number) => void): void {
  addWord2Vec(training(program, 'word2vec', 'Learn vectors of words from text: skip-gram, or --cbow.'), 'word2vec', setExitCode);
  addWord2Vec(
    training(program, 'fasttext', 'Learn vectors of words and of their parts, so that words never seen have one too.'),
    'fasttext',
    setExitCode,
  );
  const glove = training(program, 'glove', 'Learn vectors of words from how often they stand near each other.')
    .option('--window <n>', 'words on each side (default: 15)', positive)
    .option('--no-symmetric', 'count the words on the left alone')
    .option('--x-max <n>', 'counts above weigh no more (default: 100)', number)
    .option('--alpha <n>', 'exponent of the weights (default: 0.75)', number)
    .option('--eta <n>', 'learning rate (default: 0.05)', number)
    .option('--memory-bytes <n>', 'memory for counting; the rest goes to --directory (default: 1073741824)', bytes);
  runs(glove, 'glove', setExitCode);
  const vectors = program
    .command('vectors')
    .description('Search, compare, convert and draw files of word vectors; distill them from BERT.');
  addQueries(vectors);
  addDistilling(vectors);
}

function addDistilling(vectors: Command): void {
  const distilling = withCompute(
    vectors.command('distill').argument('[model]', 'model directory, or id on the Hub (default: the bundled one)'),
  );
  distilling
    .addOption(new Option('--layout <name>', 'whose directory it is').choices(['sentence-transformers', 'model2vec']))
    .option('--dimensions <n>', 'numbers of a vector (default: 256)', positive)
    .requiredOption('-o, --output <directory>', 'where the static model goes', path)
    .option('--vocabulary <path>', 'words and phrases of your own, one a line, that get vectors of their own', path)
    .description('Make static vectors of a model: a text becomes a look-up and a mean, hundreds of times faster.');
  distilling.action(async (model: string | undefined, flags: DistillVectorsFlags) =>
    (await import('../vectors/distill.js')).distill(model, flags),
  );
}

function training(program: Command, name: string, description: string): Command {
  return withThreads(program.command(name))
    .argument('[corpus...]', 'UTF-8 text, a sentence a line, words between blanks; .gz is unpacked; without any, standard input')
    .description(description)
    .requiredOption('-o, --output <path>', 'file of the vectors: .vec, .txt, .bin or .safetensors', path)
    .addOption(new Option('--format <name>', 'how to write it (default: by its name)').choices(formats))
    .option('--vocabulary <path>', 'write the words with their counts there', path)
    .option('--vector-size <n>', 'numbers of a vector (default: 100)', positive)
    .option('--min-count <n>', 'leave out words seen more rarely (default: 5)', positive)
    .option('--epochs <n>', `times the text is read (default: ${name === 'glove' ? 25 : 5})`, positive)
    .option('--seed <n>', 'of every random number (default: 1)', wholeNumber)
    .option('--max-vocab-size <n>', 'different words counted at once (default: 30000000)', positive)
    .option('--segment <locale>', 'cut lines into words by the rules of a language, such as zh')
    .option('--lowercase', 'make letters small')
    .option('--directory <path>', "where temporary files go (default: the system's)", path)
    .option('--json', 'print the report as JSON');
}

const formats = ['word2vec', 'word2vec-binary', 'glove', 'fasttext', 'safetensors'] as const;

function addWord2Vec(command: Command, trainer: Trainer, setExitCode: (code: number) => void): void {
  command
    .option('--cbow', 'predict words from the mean of their neighbours (default: skip-gram)')
    .option('--hs', 'hierarchical softmax instead of negative samples')
    .option('--negative <n>', 'negative samples (default: 5)', wholeNumber)
    .option('--window <n>', 'words on each side (default: 5)', positive)
    .option('--alpha <n>', 'learning rate at the begin (default: 0.025, with --cbow 0.05)', number)
    .option('--min-alpha <n>', 'learning rate at the end (default: 0.0001)', number)
    .option('--sample <n>', 'threshold above which frequent words are left out at random; 0: none (default: 0.001)', number)
    .option('--ns-exponent <n>', 'draw negatives by count to this power (default: 0.75)', number)
    .option('--deterministic', 'one thread, and the same bits every time')
    .option('--initial <path>', 'go on from the vectors of a file', path);
  if (trainer === 'fasttext') {
    command
      .option('--min-n <n>', 'characters of the shortest n-gram (default: 3)', positive)
      .option('--max-n <n>', 'characters of the longest n-gram; 0: none (default: 6)', wholeNumber)
      .option('--bucket <n>', 'rows that n-grams share (default: 2000000)', positive);
  }
  runs(command, trainer, setExitCode);
}

function runs(command: Command, trainer: Trainer, setExitCode: (code: number) => void): void {
  command.action(async (corpus: string[], flags: WordTrainingFlags) =>
    setExitCode(await (await import('./train-words.js')).trainWords(trainer, corpus.map(path), flags)),
  );
}

function addQueries(vectors: Command): void {
  reading(vectors, 'similar', 'Show the words nearest to a word, or to a sum of words.')
    .argument('<words...>', 'words to be near to')
    .option('--negative <word>', 'a word to be far from; may be given several times', collect)
    .option('-n, --top-n <n>', 'words to show (default: 10)', positive)
    .option('--restrict-vocab <n>', 'look among the first words alone', positive)
    .action(async (file: string, words: string[], flags: QueryFlags) =>
      (await import('./query-words.js')).similar(path(file), words, flags),
    );

  reading(vectors, 'analogy', 'Show what is to the third word as the second is to the first.')
    .argument('<a>', 'for example man')
    .argument('<b>', 'for example king')
    .argument('<c>', 'for example woman')
    .option('-n, --top-n <n>', 'words to show (default: 10)', positive)
    .option('--restrict-vocab <n>', 'look among the first words alone', positive)
    .action(async (file: string, a: string, b: string, c: string, flags: QueryFlags) =>
      (await import('./query-words.js')).analogy(path(file), [a, b, c], flags),
    );

  reading(vectors, 'odd', 'Show which of some words does not match the others.')
    .argument('<words...>', 'words to compare')
    .action(async (file: string, words: string[], flags: QueryFlags) => (await import('./query-words.js')).odd(path(file), words, flags));

  reading(vectors, 'similarity', 'Show the cosine similarity of two words.')
    .argument('<a>', 'a word')
    .argument('<b>', 'another one')
    .action(async (file: string, a: string, b: string, flags: QueryFlags) =>
      (await import('./query-words.js')).similarityOf(path(file), a, b, flags),
    );

  reading(vectors, 'eval', 'Compare with judgements of people: pairs with their similarity, or analogies.')
    .option('--pairs <path>', 'lines of two words and a number, with tabs between them, as WordSim-353', path)
    .option('--analogies <path>', 'lines of four words below ": section", as questions-words.txt', path)
    .option('--restrict-vocab <n>', 'the first words alone (default: 300000)', positive)
    .option('--case-sensitive', 'tell small letters from capitals')
    .option('--zero-for-unknown', 'count what has an unknown word as wrong')
    .action(async (file: string, flags: EvalFlags) => (await import('./query-words.js')).evaluate(path(file), flags));

  reading(vectors, 'info', 'Show what a file of word vectors holds.').action(async (file: string, flags: QueryFlags) =>
    (await import('./query-words.js')).info(path(file), flags),
  );

  reading(vectors, 'convert', 'Write the vectors of a file in another format.')
    .argument('<output>', 'file to write: .vec, .txt, .bin or .safetensors')
    .addOption(new Option('--to <name>', 'format of the output (default: by its name)').choices(formats))
    .addOption(new Option('--quantize <name>', 'of safetensors: 8 bits a number, or one').choices(['int8', 'binary']))
    .action(async (file: string, output: string, flags: ConvertFlags) =>
      (await import('./query-words.js')).convert(path(file), path(output), flags),
    );

  reading(vectors, 'plot', 'Draw words by their first two principal components.')
    .requiredOption('-o, --output <path>', 'a picture (.svg) or a page (.html)', path)
    .option('--words <path>', 'words to draw, one a line (default: the first 200)', path)
    .option('--title <text>', 'what stands above')
    .action(async (file: string, flags: PlotFlags) => (await import('./query-words.js')).plot(path(file), flags));
}

/** A command that reads a file of vectors. */
function reading(vectors: Command, name: string, description: string): Command {
  return withThreads(vectors.command(name))
    .argument('<file>', 'word vectors: .vec, .txt, .bin, GloVe, fastText, .safetensors; .gz is unpacked')
    .description(description)
    .addOption(new Option('--format <name>', 'format of the file (default: found)').choices(['auto', ...formats]))
    .option('--header', 'the text begins with a line "words dimensions"')
    .option('--no-header', 'the text begins with a word')
    .option('--limit <n>', 'read so many words from the front', positive)
    .option('--vocabulary <path>', 'counts of the words, as word2vec writes them', path)
    .option('--json', 'print JSON');
}

function collect(value: string, all: readonly string[] = []): string[] {
  return [...all, value];
}

function number(value: string): number {
  if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidArgumentError('Expected a number.');
}

function bytes(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a whole number of bytes.');
}
