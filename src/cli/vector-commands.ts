import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ClusterFlags } from './commands/vectors/cluster.js';
import type { DedupeFlags } from './commands/vectors/dedupe.js';
import type { SearchFlags } from './commands/vectors/search.js';
import { addPackageCommand, path, positive, withCompute, withOutput, withTexts } from './flags.js';

/** Adds the commands that compare texts by their vectors: `index`, `search`, `cluster`, `dedupe`. */
export function addVectorCommands(program: Command, setExitCode: (code: number) => void): void {
  const indexing = 'Fill a store with the vectors of files and tables (package bertha-jobs).';
  addPackageCommand(program, { name: 'index', argument: '[sources...]', description: indexing }, async (args) =>
    setExitCode(await (await import('./commands/jobs.js')).index(args)),
  );

  const searching = program.command('search').argument('<query>', 'what to look for');
  withOutput(withCompute(withTexts(searching, 'texts to search')), ['table', 'jsonl'])
    .description('Find the texts that are nearest to a query in meaning.')
    .option('-s, --store <store>', 'search a store that bertha index has filled; its flags: bertha search --store - --help')
    .option('-k, --top-k <n>', 'texts to show', positive, 10)
    .option('--threshold <n>', 'least cosine similarity', cosine)
    .action(async (query: string, texts: string[], flags: SearchFlags) =>
      (await import('./commands/vectors/search.js')).search(query, texts, flags),
    );

  withOutput(withCompute(withTexts(program.command('cluster'), 'texts to group')), ['table', 'jsonl'])
    .description('Group texts that say nearly the same, the largest groups first.')
    .option('--threshold <n>', 'least cosine similarity to the centre of a group', cosine, 0.75)
    .option('--min-size <n>', 'texts in a group at least', positive, 2)
    .action(async (texts: string[], flags: ClusterFlags) => (await import('./commands/vectors/cluster.js')).cluster(texts, flags));

  withCompute(withTexts(program.command('dedupe'), 'texts to look through'))
    .description('Leave out texts that say nearly what an earlier one says.')
    .option('--threshold <n>', 'cosine similarity from which a text is a duplicate', cosine, 0.95)
    .option('--duplicates', 'write what would be left out instead')
    .addOption(new Option('--format <name>', 'how to write the texts').choices(['text', 'jsonl']).default('text'))
    .option('-o, --output <path>', 'write there instead of to standard output', path)
    .action(async (texts: string[], flags: DedupeFlags) => (await import('./commands/vectors/dedupe.js')).dedupe(texts, flags));
}

function cosine(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !(number >= -1 && number <= 1)) throw new InvalidArgumentError('Expected a number from -1 to 1.');
  return number;
}
