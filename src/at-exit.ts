const ends = new Set<() => void>();

function runAll(): void {
  for (const end of ends) {
    try {
      end();
    } catch {
      // What it would tidy up is gone, or someone else's by now.
    }
  }
  ends.clear();
}

/**
 * Calls `end` if the process, or the worker_thread that this is, ends by `process.exit` or an uncaught error before the returned function is
 * called. It may do synchronous work alone. A kill, and `worker.terminate()`, call nothing.
 */
export function atExit(end: () => void): () => void {
  if (ends.size === 0) {
    process.off('exit', runAll);
    process.on('exit', runAll);
  }
  ends.add(end);
  return () => void ends.delete(end);
}
