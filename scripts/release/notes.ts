// `npx tsx scripts/release/notes.ts VERSION`: what CHANGELOG.md says of a version, for the release's page.
import { readFileSync } from 'node:fs';
import { notesOf } from './changelog.js';

const changelog = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
process.stdout.write(`${notesOf(changelog, process.argv[2] ?? '')}\n`);
