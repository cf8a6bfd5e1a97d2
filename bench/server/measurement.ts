import { fileURLToPath } from 'node:url';
import { LineProcess } from '../line-process.js';
import { startServers, type Served, type ServedPrecision } from './servers.js';
import type { LibraryRates, LibraryTurn, Load, Loaded } from './turn.js';

/** A row of the table. */
export interface Case {
  readonly precision: ServedPrecision;
  readonly tokens: number;
  readonly connections: number;
  readonly texts: readonly string[];
}

export type Encoding = 'float' | 'base64';

/** One turn of one server at a case, and what the library did in the same round: alone with 1 connection, in bulk with 64. */
export interface Turn extends Loaded {
  readonly of: Case;
  readonly server: Served;
  readonly encoding: Encoding;
  readonly round: number;
  readonly library: LibraryRates | undefined;
}

/** How the turns are taken. */
export interface TurnOptions {
  readonly threads: number;
  readonly seconds: number;
  /** A Python that has infinity. */
  readonly python: string | undefined;
}

const kWidth = 384;
/** Every server is warm before it is measured: its code compiled, its memory allocated. */
const kWarmUp = { seconds: 8, connections: 64 };

const program = (name: string, ...args: readonly string[]): LineProcess =>
  new LineProcess(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(name, import.meta.url)), ...args]);

/** The servers, the library and the load generator, each a process, and what they have measured. */
export class Measurement {
  readonly turns: Turn[] = [];
  readonly #cases: readonly Case[];
  readonly #servers: readonly Served[];
  readonly #libraries: ReadonlyMap<ServedPrecision, LineProcess>;
  readonly #seconds: number;
  readonly #generator = program('load.ts');

  private constructor(cases: readonly Case[], servers: readonly Served[], { threads, seconds }: TurnOptions) {
    this.#cases = cases;
    this.#servers = servers;
    this.#seconds = seconds;
    const precisions = new Set(cases.map(({ precision }) => precision));
    this.#libraries = new Map(Array.from(precisions, (precision) => [precision, program('library.ts', precision, `${threads}`)]));
  }

  /** Starts everything and warms the servers up. */
  static async start(cases: readonly Case[], options: TurnOptions): Promise<Measurement> {
    const servers: Served[] = [];
    for (const precision of new Set(cases.map((each) => each.precision))) {
      servers.push(...(await startServers(precision, options.threads, options.python)));
    }
    const measurement = new Measurement(cases, servers, options);
    for (const server of servers) {
      const { texts } = cases.find(({ precision }) => precision === server.precision)!;
      for (const encoding of encodingsOf(server, 1))
        await measurement.#load(server, encoding, texts, kWarmUp.connections, kWarmUp.seconds / encodingsOf(server, 1).length);
    }
    return measurement;
  }

  /** Every case once; which server comes first changes from round to round. */
  async round(round: number): Promise<void> {
    for (const of of this.#cases) {
      const { precision, connections, texts } = of;
      const servers = this.#servers.filter((server) => server.precision === precision);
      const library = await this.#library(of);
      for (const [i] of servers.entries()) {
        const server = servers[(i + round) % servers.length]!;
        for (const encoding of encodingsOf(server, connections)) {
          const loaded = await this.#load(server, encoding, texts, connections, this.#seconds);
          this.turns.push({ ...loaded, of, server, encoding, round, library });
        }
      }
    }
  }

  async #load(server: Served, encoding: Encoding, texts: readonly string[], connections: number, seconds: number): Promise<Loaded> {
    const bodies = texts.map((input) => JSON.stringify({ input, model: 'm', encoding_format: encoding }));
    const { pid, port, path } = server;
    server.resume();
    const load: Load = { port, path, pid, bodies, connections, seconds, width: kWidth };
    const loaded = await this.#generator.ask(load);
    server.pause();
    return loaded as unknown as Loaded;
  }

  async #library({ precision, connections, texts }: Case): Promise<LibraryRates | undefined> {
    if (connections !== 1 && connections !== 64) return undefined;
    const turn: LibraryTurn = { texts, seconds: this.#seconds, isBulk: connections === 64 };
    return (await this.#libraries.get(precision)!.ask(turn)) as unknown as LibraryRates;
  }
}

/** Rivals print numbers only; JSON of our own where there are targets for it. */
function encodingsOf({ isRival }: Served, connections: number): readonly Encoding[] {
  if (isRival) return ['float'];
  return connections === 1 || connections === 64 ? ['base64', 'float'] : ['base64'];
}
