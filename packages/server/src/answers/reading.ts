import type { ServerState } from '../state.js';

/** What a request says of how its texts are read, whatever its API calls it. */
export interface ReadingWish {
  /** Whether longer texts are cut. */
  readonly truncate?: boolean | null | undefined;
  /** `left` or `right`, in any case: which end of them is left out. */
  readonly direction?: string | null | undefined;
}

/** The library's options for that; what the request leaves open is as the server was told. */
export interface Reading {
  readonly onTruncate: 'truncate' | 'error';
  readonly truncationSide?: 'left' | 'right';
  readonly splitSpecialTokens?: true;
}

/** How the texts of a request are read. */
export function reading({ settings }: ServerState, { truncate, direction }: ReadingWish): Reading {
  const onTruncate = (truncate ?? settings.autoTruncate) ? 'truncate' : 'error';
  const truncationSide = direction?.toLowerCase() as 'left' | 'right' | undefined;
  return {
    onTruncate,
    ...(truncationSide === undefined ? {} : { truncationSide }),
    ...(settings.splitSpecialTokens ? { splitSpecialTokens: true } : {}),
  };
}

/** What stands before each text: the prompt that a request names, else the one that the server was told; the model's own where neither says. */
export function promptOf(
  { settings }: ServerState,
  promptName: string | null | undefined,
): { readonly promptName?: string; readonly prompt?: string } {
  if (typeof promptName === 'string') return { promptName };
  if (settings.defaultPrompt !== undefined) return { prompt: settings.defaultPrompt };
  return settings.defaultPromptName === undefined ? {} : { promptName: settings.defaultPromptName };
}
