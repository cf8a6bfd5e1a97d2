// Semantic search in memory: which sentence says most nearly what is asked?
//   node examples/search.mjs "How do I get into my account again?"
import { loadEmbedder, similarity } from 'bertha-encoder';

const sentences = [
  'Click on "Forgot password" to choose a new one.',
  'Parcels are delivered within three working days.',
  'You can return any item within 30 days for a refund.',
  'The museum opens at nine and closes at half past five.',
  'Children under six travel free of charge.',
];
const question = process.argv[2] ?? 'How do I get into my account again?';

const embedder = await loadEmbedder();
const { vector } = await embedder.embed(question);
const scores = similarity(vector, await embedder.embed(sentences));
const ranking = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
for (const i of ranking) console.log(scores[i].toFixed(3), sentences[i]);
embedder.dispose();
