/** Calls that are stopped in one turn of the event loop: what their rejections bring about takes some milliseconds. */
const kStopsATurn = 100;

/** What an abort of a signal has to stop. */
const watched = new WeakMap<AbortSignal, Watch>();

interface Watch {
  readonly stops: Set<() => void>;
  readonly listener: () => void;
}

/**
 * Calls `stop` once `signal` is aborted; returns what ends that. A signal gets one listener, however many calls wait for it (an event target
 * looks through all of them for every new one), and many thousands of calls are stopped over several turns of the event loop.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  const { stops } = watched.get(signal) ?? watch(signal);
  stops.add(stop);
  return () => {
    stops.delete(stop);
    if (stops.size === 0) unwatch(signal);
  };
}

function watch(signal: AbortSignal): Watch {
  const stops = new Set<() => void>();
  const created = { stops, listener: () => stopSome(stops) };
  watched.set(signal, created);
  signal.addEventListener('abort', created.listener, { once: true });
  return created;
}

function unwatch(signal: AbortSignal): void {
  const found = watched.get(signal);
  if (found === undefined) return;
  watched.delete(signal);
  signal.removeEventListener('abort', found.listener);
}

function stopSome(stops: Set<() => void>): void {
  let count = 0;
  for (const stop of stops) {
    if (count++ === kStopsATurn) {
      setImmediate(stopSome, stops);
      return;
    }
    stops.delete(stop);
    stop();
  }
}
