import { wrongArgument, wrongOption } from '../expected.js';

const kLongestId = 96;
const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a revision is a full commit, whose files never change. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/**
 * Whether a name that is not on disk can only be meant as a path: absolute, beginning with a dot, with a backslash or drive, or with
 * more folders than an id has. One with `..` inside is none: it is an id gone wrong.
 */
export function isPathLike(name: string): boolean {
  if (/^(?:[/\\~]|\.{1,2}(?:[/\\]|$)|[a-z]:)/i.test(name) || /[\\\0]|\/$/.test(name) || name === '') return true;
  return name.split('/').length > 2 && !name.split('/').includes('..');
}

/**
 * Checks an id by the Hub's own rules: `name` or `org/name` of letters, digits, `-`, `_` and `.`, at most 96 characters, no `--` or
 * `..`, no part that begins or ends with `-` or `.`, no `.git` at the end.
 *
 * Errors: INVALID_ARG.
 */
export function checkRepositoryId(id: string): void {
  const parts = id.split('/');
  const isSound = (part: string): boolean => /^[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?$/.test(part) && !/--|\.\./.test(part);
  if (parts.length <= 2 && id.length <= kLongestId && parts.every(isSound) && !id.endsWith('.git')) return;
  throw wrongArgument('a model directory, or an id on the Hub such as "sentence-transformers/all-MiniLM-L6-v2", for the model', id, {
    hint: 'There is no such directory, and ids are letters, digits, "-", "_" and ".", without "--" or "..".',
  });
}

/**
 * Checks a branch, tag or commit, which becomes a path below `refs/`: git's rules, and no more than that.
 *
 * Errors: INVALID_OPTION.
 */
export function checkRevision(revision: string): void {
  const isSound = (part: string): boolean => /^[\w+@=,%-][\w.+@=,%-]*$/.test(part) && !/\.\.|\.$|\.lock$/.test(part);
  if (revision.length <= 200 && revision.split('/').every(isSound)) return;
  throw wrongOption('a branch, a tag or a commit of 40 hexadecimal digits for the option revision', revision);
}

/** Whether a file name of a repository stays inside the folder it is joined to, on every system. */
export function isSafeFileName(name: string): boolean {
  return !/[\\\0:]/.test(name) && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
