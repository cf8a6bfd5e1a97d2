// A keep-alive connection that sends prepared requests, each when the answer to the last is whole. The load generator shares the processors with
// the server that is measured, so it does little: it counts bytes by content-length, and parses one answer in 64.
import { connect, type Socket } from 'node:net';

/** What connections send, and what they expect. */
export interface Requests {
  readonly host: string;
  readonly port: number;
  /** HTTP requests, head and body; each connection sends them in turn. */
  readonly bytes: readonly Buffer[];
  /** Whether the body of an answer is as it should be. */
  readonly isRight: (body: string) => boolean;
}

/** Hears of every answer: how many milliseconds it took, and whether it was a right one. */
export type OnAnswer = (ms: number, isRight: boolean) => void;

const kHeadEnd = '\r\n\r\n';
const kLength = /\r\ncontent-length: *(\d+)/i;
const kParseOneIn = 64;
const kMostBytes = 1 << 16;
const kReconnectMs = 100;

/** The bytes of a POST request with a body of JSON. */
export function requestBytes(host: string, path: string, body: string): Buffer {
  const head = [`POST ${path} HTTP/1.1`, `host: ${host}`, 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  return Buffer.from(`${head.join('\r\n')}${kHeadEnd}${body}`);
}

/** One connection. */
export class Connection {
  readonly #requests: Requests;
  readonly #onAnswer: OnAnswer;
  /** The answer, as far as it is there. */
  readonly #answer = Buffer.allocUnsafe(kMostBytes);
  #socket: Socket | undefined;
  #received = 0;
  #body = 0;
  #length = Infinity;
  #next: number;
  #sentAt = 0;
  #whenOver: (() => void) | undefined;

  /** Begins with the request of index `first`. */
  constructor(requests: Requests, first: number, onAnswer: OnAnswer) {
    this.#requests = requests;
    this.#next = first;
    this.#onAnswer = onAnswer;
  }

  /** Connects, again where the connection is lost, and sends. */
  open(): void {
    const { host, port } = this.#requests;
    const onread = { buffer: Buffer.allocUnsafe(kMostBytes), callback: (count: number, read: Uint8Array) => this.#take(read, count) };
    this.#socket = connect({ host, port, noDelay: true, onread });
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('error', () => undefined); // 'close' follows
    this.#socket.on('close', () => this.#noteClosed());
  }

  /** Waits for the answer that is on its way, and closes. */
  close(): Promise<void> {
    return new Promise((resolve) => (this.#whenOver = resolve));
  }

  #send(): void {
    const { bytes } = this.#requests;
    this.#sentAt = performance.now();
    this.#socket!.write(bytes[this.#next++ % bytes.length]!);
  }

  #take(read: Uint8Array, count: number): boolean {
    if (this.#received + count > kMostBytes) throw new Error(`Expected answers of at most ${kMostBytes} bytes.`);
    this.#answer.set(read.subarray(0, count), this.#received);
    this.#received += count;
    if (this.#length === Infinity) this.#readHead();
    if (this.#received >= this.#length) this.#finish();
    return true;
  }

  #readHead(): void {
    const end = this.#answer.subarray(0, this.#received).indexOf(kHeadEnd);
    if (end < 0) return;
    const length = kLength.exec(this.#answer.toString('latin1', 0, end))?.[1];
    if (length === undefined) throw new Error('Expected answers with content-length.');
    this.#body = end + kHeadEnd.length;
    this.#length = this.#body + Number(length);
  }

  #finish(): void {
    const ms = performance.now() - this.#sentAt;
    const isOk = this.#answer.toString('latin1', 9, 12) === '200'; // HTTP/1.1 200
    const isParsed = this.#next % kParseOneIn === 0;
    const isRight = isOk && (!isParsed || this.#requests.isRight(this.#answer.toString('utf8', this.#body, this.#length)));
    this.#received = 0;
    this.#length = Infinity;
    this.#onAnswer(ms, isRight);
    if (this.#whenOver === undefined) this.#send();
    else this.#socket!.destroy();
  }

  #noteClosed(): void {
    if (this.#whenOver !== undefined) return this.#whenOver();
    this.#onAnswer(performance.now() - this.#sentAt, false);
    this.#received = 0;
    this.#length = Infinity;
    setTimeout(() => (this.#whenOver === undefined ? this.open() : this.#whenOver()), kReconnectMs);
  }
}
