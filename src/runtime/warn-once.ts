const said = new Set<string>();

/** A process warning about one option or model, said once in the process however often it is met. */
export function warnOnce(code: string, about: string, message: string): void {
  const key = `${code} ${about}`;
  if (said.has(key)) return;
  said.add(key);
  process.emitWarning(message, { code });
}
