import { loadEmbedder, similarity } from 'bertha-encoder';

const embedder = await loadEmbedder();
const [cat, kitten, stocks] = await embedder.embed(['A cat sits on the mat.', 'A kitten rests on a rug.', 'Stocks fell sharply.']);
console.log(similarity(cat, kitten).toFixed(3), similarity(cat, stocks).toFixed(3));
embedder.dispose();
