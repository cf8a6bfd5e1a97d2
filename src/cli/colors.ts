import pc from 'picocolors';

/** Colours for a stream: where a person looks at it, unless NO_COLOR is set; FORCE_COLOR brings them everywhere. Piped output is plain. */
function colorsOf(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  const { NO_COLOR: never, FORCE_COLOR: always, TERM: terminal } = process.env;
  const isForced = always !== undefined && always !== '' && always !== '0';
  return pc.createColors(never === undefined || never === '' ? isForced || (stream.isTTY && terminal !== 'dumb') : false);
}

/** For standard output. */
export const colors = colorsOf(process.stdout);

/** For standard error. */
export const errorColors = colorsOf(process.stderr);
