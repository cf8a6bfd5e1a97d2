// Chunks of a long text, their vectors, and exact search over them. Runs with the bundled model.
import { parseArgs } from 'node:util';
import { chunkText, loadEmbedder, loadTokenizer, semanticSearch } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const text = `Parcels leave our warehouse on weekdays before noon. A parcel that is lost is sent again at no cost.
Forgotten passwords are reset by the link on the login page. Two-step login needs a telephone.
Invoices come by mail on the first of every month. They can be paid by card or by transfer.`;

const chunks = await chunkText(await loadTokenizer(values.model), text, { maxTokens: 16, overlap: 4 });
const embedder = await loadEmbedder(values.model);
const corpus = await embedder.embed(chunks.map((chunk) => chunk.text));
const query = await embedder.embed('How do I get a new password?');
for (const { index, score } of await semanticSearch(query, corpus, { topK: 2 })) {
  const { start, end } = chunks[index];
  console.log(score.toFixed(3), start, end, text.slice(start, end).replace(/\s+/g, ' '));
}
embedder.dispose();
