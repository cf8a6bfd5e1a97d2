// Writes what scripts/pretraining/electra_step.py reads: node --import tsx scripts/pretraining/electra-step.ts FOLDER (not there yet)
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawnWords, electraBatches, electraUpdate, newElectra } from '../../test/support/electra-step.js';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Expected a folder.');
mkdirSync(folder);
const pair = await newElectra(folder);
await pair.save(join(folder, 'model'));
const words = await drawnWords(pair);
const batches = electraBatches.map(({ batch: { cuSeqlens, inputIds, selected, cuSelected, labels } }, i) => ({
  cuSeqlens: [...cuSeqlens],
  inputIds: [...inputIds],
  selected: [...selected!],
  cuSelected: [...cuSelected!],
  labels: [...labels!],
  words: words[i],
}));
writeFileSync(join(folder, 'step.json'), JSON.stringify({ update: electraUpdate, batches }));
pair.dispose();
