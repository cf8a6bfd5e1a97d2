const said = new Set<string>();
let isMuted = false;

/** A process warning about one option or model, said once in the process however often it is met. */
export function warnOnce(code: string, about: string, message: string): void {
  const key = `${code} ${about}`;
  if (isMuted || said.has(key)) return;
  said.add(key);
  process.emitWarning(message, { code });
}

/** Whether `warnOnce` is to say nothing; what it then leaves out it says later. */
export function muteWarnings(muted: boolean): void {
  isMuted = muted;
}
