// Embeds with the default model and prints what came out, or an error's code and message.
import { BerthaError, loadEmbedder } from 'bertha-encoder';

loadEmbedder()
  .then(async (embedder) => {
    const { vector, tokens } = await embedder.embed('A cat sits on the mat.');
    console.log(JSON.stringify({ vector: [...vector], tokens }));
    embedder.dispose();
  })
  .catch((error) => console.log(JSON.stringify({ code: error instanceof BerthaError ? error.code : 'raw', message: String(error) })));
