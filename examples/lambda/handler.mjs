// A function that embeds texts: { "texts": ["…"] } → { "vectors": [[…]] }. README.md says how it is packed; it was not run on Lambda.
import { BerthaError, loadEmbedder } from 'bertha-encoder';

// Outside of the handler: once an environment, and a cold start pays for it. Without an option the weights that are installed decide: int8 for int8 weights.
const embedder = await loadEmbedder();

export async function handler(event, context) {
  const { texts } = typeof event.body === 'string' ? JSON.parse(event.body) : event;
  try {
    // What cannot be done in time is not begun.
    const embeddings = await embedder.embed([texts].flat(), {
      deadlineMs: Math.max(1, (context?.getRemainingTimeInMillis?.() ?? 10_000) - 200),
    });
    return { vectors: embeddings.map(({ vector }) => Array.from(vector)) };
  } catch (error) {
    if (error instanceof BerthaError)
      return { statusCode: error.httpStatus, body: JSON.stringify({ error: error.code, message: error.message }) };
    throw error;
  }
}
