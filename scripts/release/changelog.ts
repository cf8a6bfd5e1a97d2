// CHANGELOG.md in the form of Keep a Changelog.

/**
 * The changelog with what stands under Unreleased moved under `version` and `date` (YYYY-MM-DD); headings without entries go.
 * Throws when nothing is unreleased, or the version is there already.
 */
export function releaseChangelog(text: string, version: string, date: string): string {
  const start = text.indexOf('## [Unreleased]');
  if (start < 0) throw new Error('Expected a heading "## [Unreleased]" in CHANGELOG.md but found none.');
  if (text.includes(`## [${version}]`)) throw new Error(`Expected a version that CHANGELOG.md does not have yet but received ${version}.`);
  const bodyStart = text.indexOf('\n', start) + 1;
  const next = text.indexOf('\n## [', bodyStart);
  const body = text.slice(bodyStart, next < 0 ? undefined : next + 1);
  const sections = body
    .split(/^(?=### )/m)
    .map((section) => section.trim())
    .filter((section) => /^### .*\n+\S/.test(section));
  if (sections.length === 0) throw new Error('Expected entries under "## [Unreleased]" in CHANGELOG.md but found none.');
  const rest = next < 0 ? '' : text.slice(next + 1);
  const parts = [text.slice(0, bodyStart).trimEnd(), `## [${version}] - ${date}`, ...sections, rest.trimEnd()];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

/** What stands under a version, for the release's page. */
export function notesOf(text: string, version: string): string {
  const [, rest] = text.split(new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\].*$`, 'm'));
  if (rest === undefined) throw new Error(`Expected version ${version} in CHANGELOG.md but found none.`);
  return rest.split(/^## \[/m)[0]!.trim();
}
