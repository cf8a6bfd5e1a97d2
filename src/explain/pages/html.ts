import { createHash } from 'node:crypto';
import type { PageData } from './data.js';
import { pageAssets } from './assets.js';
import { headingOf } from './view/heading.js';
import { tableElement, tablesOf } from './view/tables.js';
import { el, escaped, shown, toMarkup } from './view/tree.js';
import { languageOf, languages, type Language } from './view/words.js';

/**
 * One page that needs no other file and asks nobody for anything: the data as JSON, a script that draws it, and the numbers as tables for readers without
 * one. Its policy allows this script and this style alone, by their hashes. Errors: IO.
 */
export function htmlOf(data: PageData, chosen: 'auto' | Language): string {
  const { script, style } = pageAssets();
  const language = languageOf(chosen, 'en');
  const words = languages[language];
  const { kind, question, facts, claims, warnings } = headingOf(data, words);
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const meta = [
    el('meta', { charset: 'utf-8' }),
    el('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    el('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    el('meta', { name: 'color-scheme', content: 'light dark' }),
    el('meta', { name: 'generator', content: `bertha-encoder ${data.version}` }),
    el('link', { rel: 'icon', href: 'data:,' }),
  ].map((node) => toMarkup(node));
  const plain = el(
    'noscript',
    {},
    el('h1', { dir: 'auto' }, shown(question)),
    el('p', {}, words.needsScript),
    el('ul', {}, [
      ...facts.map(([name, value]) => el('li', {}, shown(`${name}: ${value}`))),
      ...[...warnings, ...claims].map((claim) => el('li', {}, shown(claim))),
    ]),
    tablesOf(data, words).map(tableElement),
  );
  return `<!doctype html>
<html lang="${language}">
<head>
${meta.join('\n')}
<title>${escaped(shown(`${question} · ${kind}`))}</title>
<style>${style}</style>
</head>
<body>
<div id="page"></div>
${toMarkup(plain)}
<script type="application/json" id="data">${json({ language: chosen, ...data })}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** A script element ends at the first "</script", wherever it stands, and "<!--" opens a comment in it: no "<" is left. */
function json(value: object): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
