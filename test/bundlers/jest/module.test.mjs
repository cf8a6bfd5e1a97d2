// Jest with --experimental-vm-modules: ES modules, in a vm context.
import { BerthaError, loadEmbedder, loadModel, semanticSearch, similarity } from 'bertha-encoder';

test('embeds and searches', async () => {
  const embedder = await loadEmbedder();
  const vectors = (await embedder.embed(['A cat sits on the mat.', 'Stocks fell sharply.'])).map(({ vector }) => vector);
  expect(vectors[0]).toBeInstanceOf(Float32Array);
  const [best] = await semanticSearch(embedder.embedSync('Stocks fell sharply.').vector, vectors);
  expect(best.index).toBe(1);
  expect(similarity(vectors[1], vectors[1])).toBeCloseTo(1);
  embedder.dispose();
});

test('fails with typed errors', async () => {
  await expect(loadModel('nowhere/to/be/found')).rejects.toBeInstanceOf(BerthaError);
  const model = await loadModel();
  const error = await model.forward({ ids: Int32Array.of(999999) }).catch((each) => each);
  expect(error).toBeInstanceOf(BerthaError);
  expect(error.code).toBe('INVALID_IDS');
  model.dispose();
});
