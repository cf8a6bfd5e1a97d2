import { wrongOption } from '../../expected.js';
import { integer, oneOf, readOptions, type Check } from '../../options.js';
import { htmlOf } from './html.js';
import { jsonOf } from './json.js';
import { withShares } from './pack/shares.js';
import { pageData, type ExplainResult } from './result.js';
import { svgOf } from './svg.js';
import { colourDepth, stylesOf, type ColourDepth } from './text/styles.js';
import { textOf } from './text/text.js';
import { languageOf, languages } from './view/words.js';

/** How a result is written. */
export type RenderFormat = 'html' | 'svg' | 'json' | 'text';

/** Options of `render`. */
export interface RenderOptions {
  /** Of everything but the texts. `'auto'`, the default, is the reader's browser's for pages, else this system's. */
  readonly language?: 'auto' | 'en' | 'zh' | undefined;
  /** Colours of `'text'`: none, 16, 256 or 24 bits (`'true'`). `'auto'`, the default, is what NO_COLOR, FORCE_COLOR, COLORTERM and standard output allow. */
  readonly colour?: 'auto' | 'true' | 256 | 16 | false | undefined;
  /** Columns of `'text'`. Default 100. */
  readonly width?: number | undefined;
  /** Characters that a page's attention weights may take. Default 1,500,000, which keeps pages of 512 tokens and 144 heads below 2 MB. */
  readonly attentionBudget?: number | undefined;
}

const depth: Check<'auto' | 'true' | 256 | 16 | false> = (value, name) => {
  if (value === 'auto' || value === 'true' || value === 256 || value === 16 || value === false) return value;
  throw wrongOption(`"auto", "true", 256, 16 or false for ${name}`, value);
};
const schema = { language: oneOf(['auto', 'en', 'zh']), colour: depth, width: integer(20, 10_000), attentionBudget: integer(0, 2 ** 30) };
const format = oneOf<RenderFormat>(['html', 'svg', 'json', 'text']);

/**
 * A result as a page, a picture, JSON or lines for a terminal. The page is one file that asks nobody for anything, has its own policy, and shows texts as
 * text whatever they hold.
 *
 * Errors: INVALID_ARG for what is no result, INVALID_OPTION, INPUT_TOO_LARGE for JSON of more than 16,777,216 attention weights, IO where the package's
 * files of pages are not there.
 *
 * @example
 * const why = await explain(model, 'What a film.', { faithfulness: true });
 * const html: string = render(why, 'html', { language: 'en' });
 */
export function render(result: ExplainResult, as: RenderFormat, options?: RenderOptions): string {
  const { language = 'auto', colour = 'auto', width = 100, attentionBudget = 1_500_000 } = readOptions('render', options, schema);
  const wanted = format(as, 'the format of render');
  const shown = typeof result === 'object' && result !== null && 'weights' in result ? withShares(result) : result;
  const data = pageData(shown, wanted === 'html' ? attentionBudget : undefined);
  const words = languages[languageOf(language, Intl.DateTimeFormat().resolvedOptions().locale)];
  switch (wanted) {
    case 'html':
      return htmlOf(data, language);
    case 'svg':
      return svgOf(shown, data, words);
    case 'json':
      return jsonOf(result);
    case 'text':
      return textOf(shown, data, words, stylesOf(depthOf(colour)), width);
  }
}

function depthOf(colour: 'auto' | 'true' | 256 | 16 | false): ColourDepth {
  if (colour === 'auto') return colourDepth(process.env, process.stdout.isTTY === true);
  return colour === false ? 0 : colour;
}
