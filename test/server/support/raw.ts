// HTTP as bytes on a socket: what no client library would send.
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** Opens a connection to `http://HOST:PORT`. */
export async function open(address: string): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All that the server sends before it closes the connection, or within `limitMs`. */
export async function read(socket: Socket, limitMs = 4000): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (data: string) => (text += data));
  if (!socket.destroyed)
    await Promise.race([once(socket, 'close').catch(() => undefined), new Promise((resolve) => setTimeout(resolve, limitMs))]);
  socket.destroy();
  return text;
}

/** Sends bytes and reads what comes back. A request should say `connection: close`. */
export async function exchange(address: string, bytes: string | Buffer, limitMs?: number): Promise<string> {
  const socket = await open(address);
  socket.write(bytes);
  return read(socket, limitMs);
}

/** The status of an answer; 0 where none came. */
export const statusOf = (text: string): number => Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0);

/** A POST of JSON as bytes. */
export function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    host: 'x',
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
