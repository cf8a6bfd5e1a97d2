import { Parser } from 'htmlparser2';

/** What a page says, as Markdown has it: headings after #, paragraphs with blank lines between them. */
export interface Page {
  readonly title: string;
  readonly text: string;
}

const kUnread = new Set(['script', 'style', 'noscript', 'template', 'svg', 'head', 'iframe', 'object', 'select', 'textarea', 'button']);
const kBlocks = new Set(
  'address article aside blockquote caption dd details div dl dt fieldset figcaption figure footer form header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul'.split(
    ' ',
  ),
);

/** Reads the text of an HTML page: scripts, styles and controls are left out. */
export function readHtml(html: string): Page {
  const parts: string[] = [];
  let title = '';
  let unread = 0;
  let isTitle = false;
  const parser = new Parser({
    onopentagname(name) {
      if (name === 'title' && title === '') isTitle = true;
      else if (kUnread.has(name)) unread++;
      else if (name === 'br') parts.push('\n');
      else if (/^h[1-6]$/.test(name)) parts.push(`\n\n${'#'.repeat(Number(name[1]))} `);
      else if (kBlocks.has(name)) parts.push('\n\n');
    },
    ontext(text) {
      if (isTitle) title += text;
      else if (unread === 0) parts.push(text.replace(/\s+/g, ' '));
    },
    onclosetag(name) {
      if (name === 'title') isTitle = false;
      else if (kUnread.has(name)) unread = Math.max(0, unread - 1);
      else if (kBlocks.has(name) || /^h[1-6]$/.test(name)) parts.push('\n\n');
    },
  });
  parser.end(html);
  const text = parts
    .join('')
    .replace(/[ \t]*\n[ \t]*/g, '\n')
    .replace(/\n{3,}/g, '\n\n');
  return { title: title.trim(), text: text.trim() };
}
