import { downloadModel } from '../../index.js';
import { showDownload } from '../terminal/download-progress.js';
import { openOutput } from '../output.js';

/** The flags of `bertha download`, as commander hands them over. */
export interface DownloadFlags {
  readonly revision?: string;
  readonly cacheDir?: string;
  readonly verify?: boolean;
}

/** Downloads a model and prints its directory. */
export async function download(id: string, { revision, cacheDir, verify }: DownloadFlags): Promise<void> {
  const { directory } = await downloadModel(id, { revision, cacheDir, verify, onProgress: showDownload() });
  const output = await openOutput(undefined, { patchable: false });
  await output.write(`${directory}\n`);
}
