import { types } from 'node:util';
import { CommanderError, type Command } from 'commander';
import { BerthaError, describeCode } from '../errors.js';
import { exampleModels } from '../hub/example-models.js';
import { errorColors } from './terminal/colors.js';
import { BrokenPipe } from './output.js';

const kFailed = 1;
const kUsage = 2;

/** The commands whose task has another name. */
const tasks: Readonly<Record<string, string>> = {
  classify: 'text-classification',
  'zero-shot': 'zero-shot-classification',
  ner: 'token-classification',
  qa: 'question-answering',
  nsp: 'next-sentence-prediction',
};

/** The task of a command, as transformers names it. */
export function taskOf(command: string): string {
  return tasks[command] ?? command;
}

/** A model of the Hub that has what a command needs; undefined for commands that need no head. */
export function exampleModel(command: string): string | undefined {
  return exampleModels[taskOf(command)];
}

/** Says on standard error what went wrong and returns the exit code. Nobody reads on after a broken pipe: that is no error. */
export function report(error: unknown, command: Command | undefined): number {
  if (error instanceof BrokenPipe) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : kUsage;
  if (error instanceof BerthaError) {
    const { message, named } = withFlags(error.message, command);
    const hint = error.code === 'NO_HEAD' ? headHint(command) : '';
    process.stderr.write(`${errorColors.red('error')} ${error.code}: ${message}${hint}\n`);
    return named ? kUsage : describeCode(error.code).exitCode;
  }
  process.stderr.write(`${errorColors.red('error')} ${types.isNativeError(error) ? (error.stack ?? error.message) : String(error)}\n`);
  return kFailed;
}

/** A message of the library in the words of the command line: its options under the names of the flags that were typed. */
function withFlags(message: string, command: Command | undefined): { message: string; named: boolean } {
  let named = false;
  const flags = new Map(command?.options.map((option) => [option.attributeName(), option.long]));
  const changed = message.replace(/\b(?:\w+ )?option (\w+)\b/g, (whole, name: string) => {
    const flag = flags.get(name);
    if (flag === undefined || flag === null) return whole;
    named = true;
    return flag;
  });
  const limit = flags.get('maxLength') ?? flags.get('maxTokens');
  if (!named && limit !== undefined && limit !== null && changed.includes('for the limit of ')) {
    return { message: changed.replace(/the limit of \w+/, limit), named: true };
  }
  return { message: changed, named };
}

function headHint(command: Command | undefined): string {
  const model = command === undefined ? undefined : exampleModel(command.name());
  return model === undefined ? '' : ` For example: --model ${model}, which is downloaded once.`;
}
