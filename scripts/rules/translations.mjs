// `npm run check:docs-zh`: the Chinese pages say what the English ones say, as far as it can be read without knowing Chinese. Section by section,
// in order: levels of headings, code save its comments, rows, columns and figures of tables, items of lists, names in backquotes, links, and every
// figure of the text. A page of docs/zh-CN is the translation of the page of docs with its name; docs/zh-CN/README.md is the index and translates none.
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot, listFiles } from '../build/project.mjs';

const commentMarks = { js: '//', ts: '//', sh: '#', bash: '#', python: '#' };

/** The page that a Chinese page translates, or undefined. */
function originalOf(page) {
  if (page === 'README.zh-CN.md') return 'README.md';
  const [, name] = /^docs\/zh-CN\/([\w-]+\.md)$/.exec(page) ?? [];
  return name === undefined || name === 'README.md' ? undefined : `docs/${name}`;
}

/** The sections of a page: the heading's level and text, code blocks, tables, list items and all other text, each with its line. */
function sectionsOf(text) {
  let section = { level: 0, title: '', line: 1, codes: [], tables: [], items: [], prose: [] };
  const sections = [section];
  let code, table;
  for (const [i, line] of text.split('\n').entries()) {
    const number = i + 1;
    const fence = /^ *(`{3,}) *(\S*)/.exec(line);
    if (code !== undefined) {
      if (fence !== null && fence[1].length >= code.fence.length && fence[2] === '') code = undefined;
      else code.lines.push(line);
    } else if (fence !== null) {
      code = { line: number, fence: fence[1], language: fence[2], lines: [] };
      section.codes.push(code);
    } else if (/^#{1,6} /.test(line)) {
      const [marks] = line.split(' ', 1);
      section = { level: marks.length, title: line.slice(marks.length).trim(), line: number, codes: [], tables: [], items: [], prose: [] };
      sections.push(section);
    } else if (/^\s*\|/.test(line)) {
      if (table === undefined) section.tables.push((table = { line: number, rows: [] }));
      const cells = line
        .trim()
        .replace(/^\||\|$/g, '')
        .split(/(?<!\\)\|/);
      table.rows.push({ line: number, cells });
      continue;
    } else {
      if (/^ *(?:[-*]|\d+\.) /.test(line)) section.items.push(number);
      section.prose.push({ line: number, text: line });
    }
    table = undefined;
  }
  return sections;
}

/** The anchor that GitHub gives a heading. */
const anchorOf = (title) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

const scales = { million: 1e6, 万: 1e4, 亿: 1e8 };

/** The figures of a text, sorted: 12.5 million and 1250 万 are one. */
const figuresOf = (text) =>
  [...text.matchAll(/(\d+(?:[.,]\d+)*(?:e-?\d+)?)(?: ?(million|万|亿))?/g)]
    .map(([, figure, scale]) => (scale === undefined ? figure : `${Math.round(Number(figure.replaceAll(',', '')) * scales[scale])}`))
    .sort();
const namesOf = (text) => [...new Set([...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name.replace(/\s+/g, ' ')))].sort();
const shown = (list) => (list.length === 0 ? 'nothing' : list.map((each) => each.slice(0, 80)).join(', '));

/** A line of code, and the comment that ends it: a mark after a blank or at the beginning, outside of quotes. */
function splitComment(line, language) {
  const mark = commentMarks[language];
  for (let at = mark === undefined ? -1 : line.indexOf(mark); at !== -1; at = line.indexOf(mark, at + 1)) {
    const before = line.slice(0, at);
    const isQuoted = [...'\'"`'].some((quote) => before.split(quote).length % 2 === 0);
    if (!isQuoted && /(?:^|\s)$/.test(before)) return { code: before.trimEnd(), comment: line.slice(at) };
  }
  return { code: line };
}

/** All pages of one check, read once. */
class Pages {
  #read;
  #parsed = new Map();
  #translations;

  constructor(files, read) {
    this.#read = read;
    this.#translations = new Map(files.flatMap((file) => (originalOf(file) === undefined ? [] : [[originalOf(file), file]])));
  }

  get pairs() {
    return [...this.#translations];
  }

  sections(page) {
    if (!this.#parsed.has(page)) this.#parsed.set(page, sectionsOf(this.#read(page)));
    return this.#parsed.get(page);
  }

  /** Where a link of `page` leads, as a path of the repository; one to a page with a translation, as that of a Chinese page. */
  target(page, link) {
    if (/^[a-z]+:/.test(link)) return link;
    const [path, anchor] = link.split('#');
    const file = path === '' ? page : posix.join(posix.dirname(page), path);
    const translation = this.#translations.get(file);
    const at = (to, title) => (title === undefined ? to : `${to}#${anchorOf(title)}`);
    if (translation === undefined) return anchor === undefined ? file : `${file}#${anchor}`;
    if (anchor === undefined) return translation;
    const heading = this.sections(file).findIndex(({ title, level }) => level > 0 && anchorOf(title) === anchor);
    if (heading === -1) return `${file}#${anchor}, a heading that is not there`;
    return at(translation, this.sections(translation)[heading]?.title);
  }
}

/** What a comparison of one pair of pages says: `expected` stands in the English page, `got` in the Chinese one. */
function pairBreaches(pages, english, chinese) {
  const breaches = [];
  const breach = (line, where, expected, got) =>
    breaches.push(`${chinese}:${line}: expected ${expected} as in ${english}:${where}, got ${got}`);
  const [ours, theirs] = [pages.sections(chinese), pages.sections(english)];

  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const [a, b] = [ours[i], theirs[i]];
    const heading = (section) => (section === undefined ? 'no further heading' : `'${'#'.repeat(section.level)} ${section.title}'`);
    if (a?.level === b?.level) continue;
    breach(a?.line ?? ours.at(-1).line, b?.line ?? theirs.at(-1).line, heading(b), heading(a));
    return breaches; // all below would be compared with what it does not translate
  }

  for (const [page, other] of [
    [chinese, english],
    [english, chinese],
  ]) {
    const link = posix.relative(posix.dirname(page), other);
    const top = pages
      .sections(page)
      .slice(0, 2)
      .flatMap(({ prose }) => prose);
    if (!top.some(({ text }) => text.includes(`](${link})`)))
      breaches.push(`${page}:1: expected a link to ${link} below the title, got none`);
  }

  for (const [i, a] of ours.entries()) {
    const b = theirs[i];
    if (a.items.length !== b.items.length) breach(a.line, b.line, `${b.items.length} items of lists`, a.items.length);
    compareCodes(a, b, breach);
    compareTables(a, b, breach);
    compareProse(a, b, breach, (page, link) => pages.target(page, link), english, chinese);
  }
  return breaches;
}

function compareCodes(a, b, breach) {
  if (a.codes.length !== b.codes.length) return breach(a.line, b.line, `${b.codes.length} code blocks`, a.codes.length);
  for (const [i, ours] of a.codes.entries()) {
    const theirs = b.codes[i];
    if (ours.language !== theirs.language) breach(ours.line, theirs.line, `a block of '${theirs.language}'`, `'${ours.language}'`);
    for (let j = 0; j < Math.max(ours.lines.length, theirs.lines.length); j++) {
      const [x, y] = [ours, theirs].map(({ lines, language }) => (lines[j] === undefined ? {} : splitComment(lines[j], language)));
      const isComment =
        (x.comment === undefined) === (y.comment === undefined) && `${figuresOf(x.comment ?? '')}` === `${figuresOf(y.comment ?? '')}`;
      if (x.code === y.code && isComment) continue;
      const line = (lines) => (lines[j] === undefined ? 'the end of the block' : `'${lines[j]}'`);
      breach(ours.line + j + 1, theirs.line + j + 1, line(theirs.lines), line(ours.lines));
      break;
    }
  }
  return undefined;
}

function compareTables(a, b, breach) {
  if (a.tables.length !== b.tables.length) return breach(a.line, b.line, `${b.tables.length} tables`, a.tables.length);
  for (const [i, ours] of a.tables.entries()) {
    const theirs = b.tables[i];
    if (ours.rows.length !== theirs.rows.length) {
      breach(ours.line, theirs.line, `a table of ${theirs.rows.length} lines`, ours.rows.length);
      continue;
    }
    for (const [j, { line, cells }] of ours.rows.entries()) {
      const row = theirs.rows[j];
      if (cells.length !== row.cells.length) breach(line, row.line, `${row.cells.length} columns`, cells.length);
      else
        for (const [k, cell] of cells.entries())
          for (const what of [figuresOf, namesOf]) {
            const [got, expected] = [what(cell), what(row.cells[k])];
            if (`${got}` !== `${expected}`) breach(line, row.line, `${shown(expected)} in column ${k + 1}`, shown(got));
          }
    }
  }
  return undefined;
}

function compareProse(a, b, breach, targetOf, english, chinese) {
  const textOf = (section) =>
    [
      section.title,
      ...section.prose.map(({ text }) => text),
      ...section.tables.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells)),
    ].join('\n');
  const [ours, theirs] = [textOf(a), textOf(b)];
  const without = (text) => text.replace(/`[^`]+`/g, '``').replace(/\]\([^)\s]+\)/g, ']');
  const lineOf = (section, text) => section.prose.find((each) => each.text.includes(text))?.line ?? section.line;

  const missing = (list, others) => list.filter((each) => !others.includes(each));
  const [names, originals] = [namesOf(ours), namesOf(theirs)];
  for (const name of missing(originals, names)) breach(a.line, lineOf(b, name), `\`${name}\``, 'a section without it');
  for (const name of missing(names, originals)) breach(lineOf(a, name), b.line, `no \`${name}\``, 'it');

  const figures = figuresOf(without(ours));
  for (const figure of missing(figuresOf(without(theirs)), figures))
    breach(a.line, lineOf(b, figure), `the figure ${figure}`, 'a section without it');

  const linksOf = (page, text) =>
    [...text.replace(/`[^`]+`/g, '``').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => ({ link, target: targetOf(page, link) }));
  const [links, models] = [linksOf(chinese, ours), linksOf(english, theirs)];
  const isOther = ({ target }) => target !== english && target !== chinese; // the pages link to each other
  const targets = (list) => list.map(({ target }) => target);
  for (const { link, target } of models.filter(isOther))
    if (!targets(links).includes(target)) breach(a.line, lineOf(b, link), `a link to ${target}`, 'a section without it');
  for (const { link, target } of links.filter(isOther))
    if (!targets(models).includes(target)) breach(lineOf(a, link), b.line, `no link to ${target}`, link);
}

/** Where pages and their Chinese translations among `files` differ, as `file:line: expected … got …`; `read` gives the text of a file. */
export function translationBreaches(files, read = (file) => readFileSync(inRoot(file), 'utf8')) {
  const pages = new Pages(files, read);
  return pages.pairs.flatMap(([english, chinese]) =>
    files.includes(english)
      ? pairBreaches(pages, english, chinese)
      : [`${chinese}:1: expected a page ${english} that it translates, got none`],
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = listFiles('README.md', 'README.zh-CN.md', 'docs').filter((file) => file.endsWith('.md') && existsSync(inRoot(file)));
  const breaches = translationBreaches(files);
  const pages = files.filter((file) => originalOf(file) !== undefined);
  for (const breach of breaches) process.stdout.write(`${breach}\n`);
  process.stdout.write(`${pages.length} Chinese pages, ${breaches.length} breaches\n`);
  process.exitCode = breaches.length > 0 || pages.length === 0 ? 1 : 0;
}
