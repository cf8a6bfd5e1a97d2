// Makes weights/all-MiniLM-L6-v2/bertha_calibration.safetensors from texts under ../shared (see scripts/accuracy/texts.ts).
//   npx tsx scripts/calibrate-bundled.ts [OUTPUT]
import { calibrate } from '../src/index.js';
import { defaultModelDirectory } from '../src/runtime/default-model.js';
import { calibrationTexts } from './accuracy/texts.js';

const { corpus, texts } = calibrationTexts();
const [output] = process.argv.slice(2);
const report = await calibrate(defaultModelDirectory(), texts, { corpus, output });
process.stdout.write(`${report.path}: ${report.layers.length} layers, ${report.texts} texts, ${report.tokens} tokens\n`);
