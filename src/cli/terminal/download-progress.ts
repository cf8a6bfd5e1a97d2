import type { SingleBar } from 'cli-progress';
import type { ProgressEvent } from '../../index.js';
import { stopBar } from './bars.js';
import { startBar } from './progress.js';

const kMegabyte = 1e6;

/** Shows on standard error how a download goes, where a person may be watching; for `onProgress`. */
export function showDownload(): (event: ProgressEvent) => void {
  if (!process.stderr.isTTY) return () => undefined;
  let bar: SingleBar | undefined;
  return (event) => {
    if (event.status !== 'progress_total') return;
    bar ??= startBar(`downloading ${event.name} {bar} {percentage}% of {megabytes} MB, {eta_formatted} left`, event.total, event.loaded, {
      megabytes: '',
    });
    bar.setTotal(event.total);
    bar.update(event.loaded, { megabytes: (event.total / kMegabyte).toFixed(1) });
    if (event.loaded < event.total) return;
    stopBar(bar);
    bar = undefined;
  };
}
