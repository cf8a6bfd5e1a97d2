import { BerthaError, loadEmbedder } from 'bertha-encoder';

export const dynamic = 'force-dynamic';

export async function GET() {
  try {
    const embedder = await loadEmbedder();
    const { vector, tokens } = await embedder.embed('A cat sits on the mat.');
    embedder.dispose();
    return Response.json({ vector: [...vector], tokens });
  } catch (error) {
    return Response.json({ code: error instanceof BerthaError ? error.code : 'raw', message: String(error) });
  }
}
