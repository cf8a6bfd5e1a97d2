// Hugging Face's client with `bertha serve`: a model by its path, a task by the client's method.
//   npm install @huggingface/inference
//   npx bertha serve                          in another terminal
//   node huggingface.mjs [http://127.0.0.1:3000]
import { InferenceClient } from '@huggingface/inference';

const address = process.argv[2] ?? 'http://127.0.0.1:3000';
const model = (name) => new InferenceClient(process.env.API_KEY ?? 'none', { endpointUrl: `${address}/models/${name}` });

const vectors = await model('all-MiniLM-L6-v2').featureExtraction({ inputs: ['A cat sits on the mat.', 'A kitten rests on a rug.'] });
console.log('vectors:', vectors.length, 'of', vectors[0].length);
const [label] = await model('sentiment').textClassification({ inputs: 'What a wonderful film!' });
console.log('sentiment:', label.label, label.score.toFixed(3));
const entities = await model('entities').tokenClassification({ inputs: 'Alice moved from Paris to Google in London.' });
console.log('entities:', entities.map(({ word, entity_group: group }) => `${word} (${group})`).join(', '));
