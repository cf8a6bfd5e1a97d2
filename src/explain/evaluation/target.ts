import { refuseUnknownKeys, requireString, type TextInput, type TextPair } from '../../calls/inputs.js';
import { unexpected, wrongArgument } from '../../expected.js';
import type { Heads, Model } from '../../models/index.js';
import { answerQuestion, recognizeEntities } from '../../tasks/index.js';
import { requireHead } from '../../tasks/require-head.js';
import { argmax } from '../../tasks/scoring/scores.js';
import { headValue } from '../engine/named-value.js';
import { readExplained, type ExplainedText, type ReadingOptions } from '../reading/explained-text.js';
import { valuesOf, type Running } from './evaluate.js';
import type { Score, Term } from './score.js';

/** A question with its context, for a head of answers. */
export interface QuestionToExplain {
  readonly question: string;
  readonly context: string;
}

/** A text with the ways that it may go on, for a head of choices. */
export interface ChoicesToExplain {
  readonly text: string;
  readonly choices: readonly string[];
}

/** What `explain` takes: a text or a pair of texts; a question with its context; a text with choices. */
export type ExplainInput = TextInput | QuestionToExplain | ChoicesToExplain;

/**
 * What of a model's answer is explained; by default the answer itself. `label` is a label's name or index, or for masks a word; `versus`, subtracts the
 * logit of another. `position` is a token's, [CLS] being 0; `entity` the number of an entity that `recognizeEntities` finds; `choice` a choice's number;
 * `start` and `end` an answer in UTF-16 units of the context.
 */
export interface TargetOptions {
  readonly label?: string | number | undefined;
  readonly word?: string | undefined;
  readonly versus?: string | number | undefined;
  readonly position?: number | undefined;
  readonly entity?: number | undefined;
  readonly choice?: number | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** What is explained, as it was chosen. */
export interface ExplainedTarget {
  /** The head whose logits are explained; `similarity` and `decision` are of vectors. */
  readonly head: keyof Heads | 'similarity' | 'decision';
  /** The label, the word, or what the number stands for. */
  readonly label: string;
  readonly versus?: string;
  /** The token whose row is explained. */
  readonly position?: number;
  /** Of an answer: its last token. */
  readonly endPosition?: number;
}

/** A text with the score that is explained of it. */
export interface Resolved {
  readonly read: ExplainedText;
  readonly score: Score;
  readonly target: ExplainedTarget;
  readonly warnings: readonly string[];
  /** Of a choice: the logits of the others. */
  readonly otherLogits?: readonly number[];
}

interface Context {
  readonly call: string;
  readonly model: Model;
  readonly target: TargetOptions;
  readonly reading: ReadingOptions;
  readonly running: Running;
}

const kTargetKeys = ['label', 'word', 'versus', 'position', 'entity', 'choice', 'start', 'end'] as const;
/** The parts of a target that each head reads. */
const kReads: Readonly<Record<keyof Heads, readonly (keyof TargetOptions)[]>> = {
  sequenceClassification: ['label', 'versus'],
  nextSentence: ['label', 'versus'],
  tokenClassification: ['label', 'versus', 'position', 'entity'],
  maskedLm: ['label', 'word', 'versus', 'position'],
  replacedToken: ['position'],
  multipleChoice: ['choice'],
  questionAnswering: ['start', 'end'],
};

/** The heads that can be explained, in the order in which one is chosen where the model has no order of its own. */
export const explainedHeads = Object.keys(kReads) as (keyof Heads)[];

/** A target as it was given: a label's name alone, or an object. Errors: INVALID_ARG. */
export function readTarget(given: unknown): TargetOptions {
  if (given === undefined) return {};
  if (typeof given === 'string') return { label: given };
  if (typeof given !== 'object' || given === null) throw wrongArgument('a label or an object for the target of explain', given);
  refuseUnknownKeys(given, kTargetKeys, 'the target of explain');
  return given;
}

/**
 * Reads an input and chooses what of the model's answer is explained.
 *
 * Errors: NO_HEAD, NO_MASK, INVALID_LABEL, INVALID_ARG, MAX_LENGTH, those of `forward`.
 */
export async function resolveTarget(context: Context, input: ExplainInput, head: keyof Heads | undefined): Promise<Resolved> {
  const chosen = head ?? chooseHead(context, input);
  requireHead(context.model, chosen, context.call);
  const surplus = kTargetKeys.find((key) => context.target[key] !== undefined && !kReads[chosen].includes(key));
  if (surplus !== undefined) {
    const names = kReads[chosen].map((key) => `"${key}"`).join(', ');
    throw unexpected('INVALID_ARG', `a target with ${names} for the head ${chosen} of ${context.call}`, `"${surplus}"`);
  }
  switch (chosen) {
    case 'questionAnswering':
      return resolveAnswer(context, input);
    case 'multipleChoice':
      return resolveChoice(context, input);
    case 'maskedLm':
      return resolveMask(context, input);
    case 'tokenClassification':
    case 'replacedToken':
      return resolveToken(context, input, chosen);
    default:
      return resolveLabel(context, input, chosen);
  }
}

const kHeadlessHint =
  'Load a model that was trained for a task; of a model of vectors, explainSimilarity (bertha explain similarity A B) says why two texts are similar.';

function chooseHead({ model, target, call }: Context, input: ExplainInput): keyof Heads {
  if (typeof input === 'object' && input !== null && 'question' in input) return 'questionAnswering';
  if (typeof input === 'object' && input !== null && 'choices' in input) return 'multipleChoice';
  if (target.word !== undefined) return 'maskedLm';
  if (target.entity !== undefined) return 'tokenClassification';
  const own = Object.keys(model.values.heads) as (keyof Heads)[];
  const isPair = typeof input === 'object' && input.textPair !== undefined;
  if (isPair && own.includes('nextSentence')) return 'nextSentence';
  const found = own.find((name) => explainedHeads.includes(name));
  if (found === undefined) requireHead(model, 'sequenceClassification', call, kHeadlessHint);
  return found ?? 'sequenceClassification';
}

function readText({ call, model, reading }: Context, input: ExplainInput): Promise<ExplainedText> {
  if (typeof input === 'string') return readExplained(call, model, input, reading);
  refuseUnknownKeys(input, ['text', 'textPair'], `the input of ${call}`);
  const { text, textPair } = (input ?? {}) as Partial<TextPair>;
  const first = requireString(text, `text of the input of ${call}`);
  if (textPair !== undefined) requireString(textPair, `textPair of the input of ${call}`);
  return readExplained(call, model, textPair === undefined ? first : { text: first, textPair }, reading);
}

/** The rows of a head for a text, with rows of `positions` where they are selected. */
async function logitsOf({ model, running }: Context, read: ExplainedText, head: keyof Heads, positions: readonly number[] = []) {
  const value = headValue(model.values, head)!;
  const { ids, typeIds } = read.encoding;
  if (ids.length === 0) throw unexpected('EMPTY_INPUT', 'a text with tokens', 'one without');
  const sequence = { ids, typeIds, ...(value.rows === 'selected' && { selected: Int32Array.from(positions) }) };
  const { onDone: _, ...rest } = running;
  const [rows] = await valuesOf(model, [sequence], value, read.poolSkip, rest);
  return { rows: rows!, width: value.width };
}

async function resolveLabel(context: Context, input: ExplainInput, head: 'sequenceClassification' | 'nextSentence'): Promise<Resolved> {
  const { model, target } = context;
  const read = await readText(context, input);
  const labels = head === 'nextSentence' ? ['isNext', 'notNext'] : model.config.id2label;
  const column = target.label === undefined ? argmax((await logitsOf(context, read, head)).rows) : labelColumn(labels, target.label);
  const { terms, versus } = versusTerms(labels, column, target.versus, {});
  return { read, score: { value: head, terms }, target: { head, label: labels[column]!, ...versus }, warnings: [] };
}

/** The terms of a column, less those of another where one is given. */
function versusTerms(
  labels: readonly string[],
  column: number,
  other: string | number | undefined,
  place: Pick<Term, 'token'>,
): { readonly terms: readonly Term[]; readonly versus: { readonly versus?: string } } {
  const term = { ...place, column, coefficient: 1 };
  if (other === undefined) return { terms: [term], versus: {} };
  const minus = labelColumn(labels, other);
  return { terms: [term, { ...place, column: minus, coefficient: -1 }], versus: { versus: labels[minus]! } };
}

/** Labels that an error lists. */
const kMostListed = 12;

function labelColumn(labels: readonly string[], label: string | number): number {
  const column = typeof label === 'number' ? label : labels.indexOf(label);
  if (Number.isInteger(column) && column >= 0 && column < labels.length) return column;
  const known = labels.slice(0, kMostListed).map((name) => JSON.stringify(name));
  const more = labels.length > kMostListed ? ` and ${labels.length - kMostListed} more` : '';
  throw unexpected('INVALID_LABEL', `a label of the model (${known.join(', ')}${more})`, JSON.stringify(label));
}

async function resolveToken(context: Context, input: ExplainInput, head: 'tokenClassification' | 'replacedToken'): Promise<Resolved> {
  const { model, target } = context;
  const read = await readText(context, input);
  const { rows, width } = await logitsOf(context, read, head);
  const position = target.position === undefined ? await usualToken(context, read, head, rows) : checkPosition(read, target.position);
  const labels = head === 'replacedToken' ? ['replaced'] : model.config.id2label;
  const own = rows.subarray(position * width, (position + 1) * width);
  const column = target.label === undefined ? argmax(own) : labelColumn(labels, target.label);
  const { terms, versus } = versusTerms(labels, column, target.versus, { token: position });
  return { read, score: { value: head, terms }, target: { head, label: labels[column]!, ...versus, position }, warnings: [] };
}

/** Of entities the first token, of replaced tokens the one that is likeliest to be replaced. */
async function usualToken({ model, target, call }: Context, read: ExplainedText, head: keyof Heads, logits: Float32Array): Promise<number> {
  const inText = Array.from(read.tokens.keys()).filter((i) => !read.tokens[i]!.special);
  if (inText.length === 0) throw unexpected('INVALID_ARG', `a text with tokens for ${call}`, 'one without');
  if (head === 'replacedToken') return inText.reduce((best, i) => (logits[i]! > logits[best]! ? i : best));
  const { entities } = await recognizeEntities(model, read.text, { aggregationStrategy: 'simple' });
  const entity = entities[target.entity ?? 0];
  if (entity === undefined) {
    const wanted = `the number of an entity of the text, or a position, for the target of ${call}`;
    throw unexpected('INVALID_ARG', wanted, `${target.entity ?? 'neither'}: the model finds ${entities.length} entities`);
  }
  const position = inText.find((i) => read.tokens[i]!.end > entity.start);
  if (position !== undefined) return position;
  throw unexpected('INVALID_ARG', `an entity in the part that is read for ${call}`, `one at ${entity.start}`);
}

function checkPosition(read: ExplainedText, position: unknown): number {
  const token = read.tokens[position as number];
  if (token?.special === false) return position as number;
  const got = token === undefined ? String(position) : `${String(position)}, which is ${token.token}`;
  throw unexpected('INVALID_ARG', `the position of a token of the text, of ${read.tokens.length} in all, for the target`, got);
}

async function resolveMask(context: Context, input: ExplainInput): Promise<Resolved> {
  const { model, target, call } = context;
  const read = await readText(context, input);
  const mask = read.tokens.findIndex(({ id }) => id === model.tokenizer.maskId);
  if (mask < 0 && target.position === undefined) {
    const name = model.tokenizer.maskId === undefined ? 'a mask' : model.tokenizer.idToToken(model.tokenizer.maskId);
    throw unexpected('NO_MASK', `a text with ${name} in what is read, or a position, for ${call}`, 'neither');
  }
  const position = target.position === undefined ? mask : checkPosition(read, target.position);
  const { rows } = await logitsOf(context, read, 'maskedLm', [position]);
  const warnings: string[] = [];
  const nameOf = (id: number): string => model.tokenizer.idToToken(id) ?? String(id);
  const given = target.word ?? target.label;
  const column = given === undefined ? argmax(rows) : wordId(model, given, warnings);
  const other = target.versus === undefined ? undefined : wordId(model, target.versus, warnings);
  const terms = [{ token: position, column, coefficient: 1 }];
  if (other !== undefined) terms.push({ token: position, column: other, coefficient: -1 });
  const versus = other === undefined ? {} : { versus: nameOf(other) };
  return { read, score: { value: 'maskedLm', terms }, target: { head: 'maskedLm', label: nameOf(column), ...versus, position }, warnings };
}

/** The id of a word, or of its first piece, said in a warning. Errors: INVALID_LABEL. */
function wordId({ tokenizer }: Model, word: string | number, warnings: string[]): number {
  if (typeof word === 'number') {
    if (tokenizer.idToToken(word) !== undefined) return word;
    throw unexpected('INVALID_LABEL', 'an id of the vocabulary', word);
  }
  const known = tokenizer.tokenToId(word);
  if (known !== undefined) return known;
  const { ids, tokens } = tokenizer.encode(word, { addSpecialTokens: false });
  if (ids.length === 0 || ids[0] === tokenizer.unkId) throw unexpected('INVALID_LABEL', 'a word of the vocabulary', JSON.stringify(word));
  if (ids.length > 1) warnings.push(`${JSON.stringify(word)} is ${ids.length} pieces; its first, ${tokens[0]}, is explained.`);
  return ids[0]!;
}

async function resolveChoice(context: Context, input: ExplainInput): Promise<Resolved> {
  const { call, model, target, reading, running } = context;
  refuseUnknownKeys(input, ['text', 'choices'], `the input of ${call}`);
  const { text, choices } = input as ChoicesToExplain;
  requireString(text, `text of the input of ${call}`);
  if (!Array.isArray(choices) || choices.length === 0) throw wrongArgument(`a list of texts for choices of ${call}`, choices);
  const reads: ExplainedText[] = [];
  for (const [i, choice] of choices.entries()) {
    const textPair = requireString(choice, `choice ${i} of ${call}`);
    reads.push(await readExplained(call, model, { text, textPair }, reading));
  }
  const logits = await choiceLogits(context, reads, running);
  const { choice = argmax(logits) } = target;
  const read = reads[choice];
  if (read === undefined) throw unexpected('INVALID_ARG', `the number of one of ${choices.length} choices for the target`, String(choice));
  const score: Score = { value: 'multipleChoice', terms: [{ column: 0, coefficient: 1 }] };
  const otherLogits = logits.filter((_, i) => i !== choice);
  return { read, score, target: { head: 'multipleChoice', label: `choice ${choice}` }, warnings: [], otherLogits };
}

async function choiceLogits(context: Context, reads: readonly ExplainedText[], { signal }: Running): Promise<number[]> {
  const logits: number[] = [];
  for (const read of reads) {
    signal?.throwIfAborted();
    logits.push((await logitsOf(context, read, 'multipleChoice')).rows[0]!);
  }
  return logits;
}

async function resolveAnswer(context: Context, input: ExplainInput): Promise<Resolved> {
  const { call, model, target, reading, running } = context;
  refuseUnknownKeys(input, ['question', 'context'], `the input of ${call}`);
  const { question: text, context: textPair } = input as QuestionToExplain;
  requireString(text, `question of the input of ${call}`);
  requireString(textPair, `context of the input of ${call}`);
  const read = await readExplained(call, model, { text, textPair }, reading);
  if ((target.start === undefined) !== (target.end === undefined))
    throw wrongArgument('both start and end, or neither, for the target', target);
  const { start, end } =
    target.start === undefined ? await bestAnswer(context, text, textPair, running) : (target as Required<TargetOptions>);
  const inContext = Array.from(read.tokens.keys()).filter((i) => read.tokens[i]!.sequence === 1);
  const first = inContext.find((i) => read.tokens[i]!.end > start!);
  const last = inContext.findLast((i) => read.tokens[i]!.start < end!);
  if (first === undefined || last === undefined || last < first || end! > textPair.length) {
    const wanted = `an answer within the ${inContext.length} tokens of the context that are read for ${call}`;
    throw unexpected('INVALID_ARG', wanted, `${start} to ${end}`);
  }
  const terms = [
    { token: first, column: 0, coefficient: 1 },
    { token: last, column: 1, coefficient: 1 },
  ];
  const label = textPair.slice(start, end);
  return {
    read,
    score: { value: 'questionAnswering', terms },
    target: { head: 'questionAnswering', label, position: first, endPosition: last },
    warnings: [],
  };
}

async function bestAnswer({ model, call }: Context, question: string, context: string, { signal }: Running) {
  const { answers } = await answerQuestion(model, { question, context }, { signal });
  const [best] = answers;
  if (best !== undefined) return best;
  throw unexpected('INVALID_ARG', `a context with an answer for ${call}`, 'one without');
}
