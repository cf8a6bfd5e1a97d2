import type { DocumentedRoute } from './document.js';

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The routes as a page: no script, nothing from elsewhere. */
export function referencePage(routes: readonly DocumentedRoute[]): string {
  const tags = [...new Set(routes.map(({ config }) => config.tag ?? 'Other'))];
  const sections = tags.map(
    (tag) =>
      `<h2>${escape(tag)}</h2>${routes
        .filter(({ config }) => (config.tag ?? 'Other') === tag)
        .map(rowOf)
        .join('')}`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>bertha-server: routes</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em }
pre { overflow: auto; padding: 0.75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent) }
details { margin: 0.5rem 0 } summary { cursor: pointer }
</style></head>
<body><h1>Routes</h1>
<p>The document is <a href="/openapi.json">/openapi.json</a>. Every POST route is also there for a model of its own, below <code>/models/NAME</code>.</p>
${sections.join('\n')}
</body></html>
`;
}

function rowOf({ method, url, config, body }: DocumentedRoute): string {
  const schema = body === undefined ? '' : `<p>Body:</p><pre>${escape(JSON.stringify(body, null, 2))}</pre>`;
  const answer = config.answer === undefined ? '' : `<p>Answer:</p><pre>${escape(JSON.stringify(config.answer, null, 2))}</pre>`;
  return `<details><summary><code>${method} ${escape(url)}</code> ${escape(config.summary ?? '')}</summary>${schema}${answer}</details>`;
}
