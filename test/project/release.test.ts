// The changelog's part of a release; scripts/release/*.mjs around it only run git and npm.
import { readFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { notesOf, releaseChangelog } from '../../scripts/release/changelog.js';

const t = suite('release');
const head = '# Changelog\n\nWords.\n\n## [Unreleased]\n';

t('closes what is unreleased under a version and leaves out empty headings', () => {
  const text = `${head}\n### Added\n\n- a\n- b\n\n### Changed\n\n### Fixed\n\n- c\n`;
  const closed = releaseChangelog(text, '1.2.0', '2027-01-02');
  assert.is(closed, `${head}\n## [1.2.0] - 2027-01-02\n\n### Added\n\n- a\n- b\n\n### Fixed\n\n- c\n`);
  assert.is(notesOf(closed, '1.2.0'), '### Added\n\n- a\n- b\n\n### Fixed\n\n- c');
});

t('puts a second version above the first', () => {
  const first = releaseChangelog(`${head}\n### Added\n\n- a\n`, '1.0.0', '2027-01-02');
  const second = releaseChangelog(first.replace('## [Unreleased]\n', '## [Unreleased]\n\n### Fixed\n\n- b\n'), '1.0.1', '2027-01-03');
  assert.is(second, `${head}\n## [1.0.1] - 2027-01-03\n\n### Fixed\n\n- b\n\n## [1.0.0] - 2027-01-02\n\n### Added\n\n- a\n`);
  assert.is(notesOf(second, '1.0.1'), '### Fixed\n\n- b');
});

t('refuses a release of nothing, a version twice, and a changelog without its heading', () => {
  assert.throws(() => releaseChangelog(`${head}\n### Added\n`, '1.0.0', '2027-01-02'), /found none/);
  assert.throws(() => releaseChangelog(`${head}\n### Added\n\n- a\n\n## [1.0.0] - 2026-01-01\n`, '1.0.0', '2027-01-02'), /1\.0\.0/);
  assert.throws(() => releaseChangelog('# Changelog\n', '1.0.0', '2027-01-02'), /Unreleased/);
  assert.throws(() => notesOf(head, '1.0.0'), /1\.0\.0/);
});

t('can close the changelog of this repository', () => {
  const text = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
  assert.match(releaseChangelog(text, '999.0.0', '2027-01-02'), '## [999.0.0] - 2027-01-02\n\n### ');
});

t.run();
