import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { attentionFile, render, type Attention } from '../../src/explain/index.js';
import { suite } from '../support/suite.js';
import { chromium, closePages, drawnAttention, finish, folder, open } from './support/opened-pages.js';

const t = suite('attention files');
t.after(closePages);

t('a large page shows any head in full once its attention file is open; it refuses other files', async () => {
  const drawn = drawnAttention(512, 12, 12);
  const bytes = attentionFile(drawn);
  assert.ok(bytes.length < drawn.weights.length * drawn.weights[0]!.data.length, String(bytes.length));
  if ((await chromium()) === undefined) return;
  const opened = await open('beside.html', render(drawn, 'html', { language: 'en' }), { viewport: { width: 1100, height: 800 } });
  const { page } = opened;
  const [input, said] = [page.locator('#attention-file'), page.locator('#attention-file + [role=status]')];
  await input.waitFor();
  const give = async (name: string, content: Uint8Array | string): Promise<string | null> => {
    writeFileSync(join(folder, name), content);
    await page.evaluate(`document.querySelector('#attention-file + [role=status]').textContent = ''`);
    await input.setInputFiles(join(folder, name));
    await page.locator('#attention-file + [role=status]:not(:empty)').waitFor();
    return said.textContent();
  };
  const wrong = 'This is not the attention file of this page.';
  assert.is(await give('other.bin', attentionFile(drawnAttention(511, 12, 12))), wrong);
  assert.is(await give('cut.bin', bytes.subarray(0, bytes.length - 1)), wrong);
  assert.is(await give('text.bin', 'bertha-a no index'), wrong);
  assert.is(await give('empty.bin', ''), wrong);
  const partial = 'Of this head the 4 largest weights of each token are here.';
  const hints = page.locator('section .hint');
  const full = (JSON.parse(/id="data">([^]*?)<\/script>/.exec(render(drawn, 'html'))![1]!) as { full: { layer: number; head: number }[] })
    .full;
  const [layer, head] = [11, [0, 1, 2, 3, 4, 5].find((each) => !full.some((own) => own.layer === 11 && own.head === each))!];
  await page
    .locator('.head')
    .nth(layer * 12 + head)
    .click();
  assert.ok((await hints.allTextContents()).includes(partial));
  assert.is(await give('heads.bin', bytes), 'The file is open: every head is shown in full.');
  const whole = page.locator('section h2 + .hint:text-is("Choose a token to see what it reads.")');
  await whole.waitFor();
  const row = 200;
  await page.locator('.tokens button').nth(row).click();
  const count = 512;
  const weights = drawn.weights[layer]!.data.subarray((head * count + row) * count, (head * count + row + 1) * count);
  const shares = await page.evaluate<string[]>(
    `Array.from(document.querySelectorAll('.tokens:last-child > div'), (each) => each.style.getPropertyValue('--share'))`,
  );
  assert.is(shares.length, count);
  weights.forEach((weight, j) => assert.ok(Math.abs(Number(shares[j]) - weight) <= 0.0025, `${shares[j]} for ${weight} at ${j}`));
  await page.locator('.head').nth(0).click();
  await page.locator('.head').nth(1).click();
  await page.locator('h2:text-is("Layer 0, head 1")').waitFor();
  await whole.waitFor();
  await finish(opened, 'beside');
});

t('JSON of more weights than a string holds is refused with the bytes', () => {
  const some = drawnAttention(8, 2, 2);
  const many = { ...some, weights: [{ data: new Float32Array(2 ** 24 + 1), dims: [1, 1, 1] }] };
  assert.throws(() => render(many, 'json'), /16777217, which would be about 201326604 bytes[^]*attentionFile/);
  assert.throws(() => attentionFile({} as Attention), /a result of attention for attentionFile/);
});

t.run();
