// No client at all: JSON by fetch, and a stream of texts in and of vectors out, a line each.
//   npx bertha serve                          in another terminal
//   node fetch.mjs [http://127.0.0.1:3000]
const address = process.argv[2] ?? 'http://127.0.0.1:3000';
const authorization = `Bearer ${process.env.API_KEY ?? 'none'}`;

const response = await fetch(`${address}/tasks/classify`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization },
  body: JSON.stringify({ inputs: ['What a wonderful film!', 'I want my money back.'], topK: 1, model: 'sentiment' }),
});
if (!response.ok) throw new Error((await response.json()).message);
for (const { labels } of await response.json()) console.log(labels[0].label, labels[0].score.toFixed(3));

async function* texts() {
  const encoder = new TextEncoder();
  for (let i = 0; i < 1000; i++) yield encoder.encode(`${JSON.stringify({ id: i, text: `Document ${i} of many.` })}\n`);
}
const bulk = await fetch(`${address}/bulk/embed?model=all-MiniLM-L6-v2`, {
  method: 'POST',
  headers: { 'content-type': 'application/x-ndjson', authorization },
  body: ReadableStream.from(texts()),
  duplex: 'half',
});
let rest = '';
let count = 0;
for await (const part of bulk.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split('\n');
  rest = lines.pop();
  for (const line of lines) count += JSON.parse(line).embedding.length === 384 ? 1 : 0;
}
console.log('vectors:', count);
