// The server in one's own process, with a route of one's own beside its routes.
//   npm install bertha-encoder bertha-server
//   node create-server.mjs [PORT]
import { createServer } from 'bertha-server';

const server = createServer({ port: Number(process.argv[2] ?? 3000), deadlineMs: 10_000 });
server.app.get('/hello', () => ({ models: server.models }));
console.log('serves at', await server.listen());
for (const { name, error } of await server.ready) console.error(`${name} could not be loaded: ${error.message}`);
console.log('ready:', server.models.join(', '));
process.once('SIGTERM', () => void server.close());
