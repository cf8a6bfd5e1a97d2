import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';

const weights = fileURLToPath(new URL('../../weights/', import.meta.url));
const sums = new Map(
  readFileSync(`${weights}SHA256SUMS`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => [line.slice(66), line.slice(0, 64)]),
);

const t = suite('weights');

t('hold every file byte for byte as published', () => {
  for (const [file, expected] of sums) {
    assert.is(
      createHash('sha256')
        .update(readFileSync(weights + file))
        .digest('hex'),
      expected,
      file,
    );
  }
});

t('hold the official model.safetensors', () => {
  assert.is(sums.get('all-MiniLM-L6-v2/model.safetensors'), '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db');
});

t('hold nothing that has no checksum', () => {
  const files = readdirSync(`${weights}all-MiniLM-L6-v2`, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.is(files.length, sums.size);
});

t('name the licence of what is not under Apache-2.0 in the package, and what it was trained on in NOTICE', () => {
  const root = new URL('../../', import.meta.url);
  const { license } = JSON.parse(readFileSync(new URL('packages/weights/package.json', root), 'utf8')) as { license: string };
  const notice = readFileSync(new URL('NOTICE', root), 'utf8');
  const folders = [
    ...new Set([...sums.keys()].map((file) => file.split('/').slice(1, -1).join('/')).filter((folder) => folder.startsWith('heads'))),
  ];
  assert.ok(folders.length > 0);
  assert.is(
    license.includes('CC-BY-SA-4.0'),
    folders.some((folder) => folder.startsWith('heads-cc-by-sa-4.0/')),
  );
  for (const folder of folders.filter((name) => name.includes('/'))) assert.match(notice, folder);
});

t.run();
