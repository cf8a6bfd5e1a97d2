import pc from 'picocolors';

/** Colours for a stream: where a person looks at it, unless NO_COLOR is set; FORCE_COLOR brings them everywhere. Piped output is plain. */
function colorsOf(stream: { readonly isTTY?: boolean }): ReturnType<typeof pc.createColors> {
  const { NO_COLOR: never, FORCE_COLOR: always, TERM: terminal } = process.env;
  const isForced = always !== undefined && always !== '' && always !== '0';
  const isAllowed = never === undefined || never === '';
  // Explicit: without an argument picocolors also colours what CI collects.
  return pc.createColors(isAllowed && (isForced || (stream.isTTY === true && terminal !== 'dumb')));
}

/** For standard output. */
export const colors = colorsOf(process.stdout);

/** For standard error. */
export const errorColors = colorsOf(process.stderr);
