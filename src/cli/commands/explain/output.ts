import { unexpected } from '../../../expected.js';
import { render, type ExplainResult, type RenderFormat } from '../../../explain/index.js';
import { openOutput } from '../../output.js';
import { terminalWidth } from '../../terminal/width.js';

/** Where results go, and how. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly output?: string;
  readonly html?: string;
  readonly svg?: string;
  readonly language?: 'auto' | 'en' | 'zh';
}

interface Target {
  readonly file: string | undefined;
  readonly format: RenderFormat;
}

/** Whether a page is to be written, which says more than lines do. */
export function isPage(flags: OutputFlags): boolean {
  return targetsOf(flags).some(({ format }) => format === 'html');
}

/**
 * Writes a result: a page, a picture, JSON or lines, each to its file, whole or not at all; without a file to standard output. Of `--output` the name's end
 * says what it is, unless there is `--json`. `inJson` is what JSON has, where that is less.
 */
export async function writeResult(result: ExplainResult, flags: OutputFlags, inJson = result): Promise<void> {
  const { language } = flags;
  const written = targetsOf(flags).map(({ file, format }) => {
    const lines = format === 'text' ? { width: terminalWidth(), ...(file !== undefined && { colour: false as const }) } : {};
    return { file, text: render(format === 'json' ? inJson : result, format, { language, ...lines }) };
  });
  for (const { file, text } of written) await writeFile(file, text);
}

/** Writes a file, whole or not at all; without a name to standard output. Errors: IO. */
export async function writeFile(file: string | undefined, content: string | Uint8Array): Promise<void> {
  const output = await openOutput(file, { patchable: false });
  await output.write(content);
  await output.finish();
}

function targetsOf({ json = false, output, html, svg }: OutputFlags): Target[] {
  const targets: Target[] = [];
  if (html !== undefined) targets.push({ file: html, format: 'html' });
  if (svg !== undefined) targets.push({ file: svg, format: 'svg' });
  if (output !== undefined) targets.push({ file: output, format: json ? 'json' : formatOf(output) });
  if (output === undefined && (json || targets.length === 0)) targets.push({ file: undefined, format: json ? 'json' : 'text' });
  const files = targets.map(({ file }) => file);
  if (new Set(files).size < files.length) throw unexpected('USAGE', 'another file for each of --html, --svg and --output', 'one twice');
  return targets;
}

function formatOf(file: string): RenderFormat {
  if (/\.html?$/i.test(file)) return 'html';
  if (/\.svg$/i.test(file)) return 'svg';
  return /\.json$/i.test(file) ? 'json' : 'text';
}
