import { BerthaError, type Embedder } from 'bertha-encoder';
import type { BadRow, Document, Source, Unit } from '../source/source.js';
import { storable } from '../store/records.js';
import type { ChunkWrite, DocumentWrite, Store, StoredDocument } from '../store/store.js';
import { cutDocument, documentHash, type CutOptions } from './cut.js';

/** What a unit is indexed with. */
export interface UnitContext {
  readonly source: Source;
  readonly store: Store;
  readonly embedder: Embedder;
  readonly run: number;
  readonly cut: CutOptions;
  /** Hears of every row that cannot be used. */
  readonly onBad: (bad: BadRow) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** What a unit came to. */
export interface UnitCounts {
  /** Documents that were read, those that had not changed included. */
  readonly documents: number;
  readonly documentsUnchanged: number;
  /** Chunks whose vectors were computed. */
  readonly embedded: number;
  readonly rowsWritten: number;
  readonly rowsDeleted: number;
  readonly bad: number;
}

/** Documents that are looked up and written together: chunks in them at most, as a rule, and UTF-16 units. */
const kGroupChunks = 256;
const kGroupUnits = 1 << 18;
/** Groups of a unit in work at once: one is written while the next is computed. */
const kGroupsAtOnce = 2;
const kMostTries = 5;
/** Longest id that every store can look up, in bytes of UTF-8. */
const kLongestId = 2048;
/** Longest text that the tokenizer takes, in UTF-16 units. */
const kLongestText = 1 << 25;

/**
 * Reads a unit, cuts its documents, computes the vectors of chunks that are not stored and writes them, in a transaction a group of documents; the last one marks
 * the unit as done. Broken off anywhere, it can be done again and leaves the same rows.
 *
 * Errors: those of source, store and `embed`, the signal's reason.
 */
export async function indexUnit(context: UnitContext, unit: Unit): Promise<UnitCounts> {
  const groups = new Groups(context, unit);
  try {
    for await (const item of context.source.read(unit, context.signal)) {
      context.signal?.throwIfAborted();
      if ('bad' in item) await groups.refuse(item.bad);
      else await groups.add(item.document);
    }
    await groups.finish();
  } finally {
    // Nothing is written any more when a unit has failed.
    await groups.settled();
  }
  return groups.counts;
}

/** A document that is to be looked up. */
interface Waiting {
  readonly document: Document;
  readonly contentHash: string;
}

/** One that is to be written. */
interface Changed extends Waiting {
  /** Whether the store knows of it. */
  readonly isStored: boolean;
}

/** The documents of a unit, group by group. */
class Groups {
  readonly counts = { documents: 0, documentsUnchanged: 0, embedded: 0, rowsWritten: 0, rowsDeleted: 0, bad: 0 };
  readonly #context: UnitContext;
  readonly #unit: Unit;
  #waiting: Waiting[] = [];
  #units = 0;
  readonly #working = new Set<Promise<void>>();
  /** Ids of this unit. */
  readonly #seen = new Set<string>();

  constructor(context: UnitContext, unit: Unit) {
    this.#context = context;
    this.#unit = unit;
  }

  async add(document: Document): Promise<void> {
    if (this.#seen.has(document.id)) return this.refuse(duplicate(document.id));
    if (storable(document.id) !== document.id || Buffer.byteLength(document.id) > kLongestId)
      return this.refuse({
        place: `document ${JSON.stringify(document.id.slice(0, 60))}`,
        problem: `its id has U+0000, half of a surrogate pair, or more than ${kLongestId} bytes`,
      });
    if (document.text.length > kLongestText)
      return this.refuse({ place: `document ${JSON.stringify(document.id)}`, problem: `it has more than ${kLongestText} characters` });
    this.#seen.add(document.id);
    this.counts.documents++;
    this.#waiting.push({ document, contentHash: documentHash(document, this.#context.cut) });
    this.#units += document.text.length;
    if (this.#waiting.length >= kGroupChunks || this.#units >= kGroupUnits) await this.#begin();
  }

  async refuse(bad: BadRow): Promise<void> {
    this.counts.bad++;
    await this.#context.onBad(bad);
  }

  /** Writes the last group after all others, and with it the mark that the unit is done. */
  async finish(): Promise<void> {
    await this.#write(this.#take(), this.#unit.id);
  }

  /** Waits until no group is in work, whatever becomes of them. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#working);
  }

  /** Begins with what waits; where as many groups as may be are in work, one of them is waited for. */
  async #begin(): Promise<void> {
    const work = this.#write(this.#take());
    this.#working.add(work);
    // What fails stays, to be met by the next wait.
    work.then(
      () => this.#working.delete(work),
      () => undefined,
    );
    if (this.#working.size >= kGroupsAtOnce) await Promise.race(this.#working);
  }

  #take(): Waiting[] {
    const waiting = this.#waiting;
    [this.#waiting, this.#units] = [[], 0];
    return waiting;
  }

  async #write(group: readonly Waiting[], doneUnit?: string): Promise<void> {
    const { store, run, signal } = this.#context;
    let waiting = group;
    for (let tries = 1; waiting.length > 0 || doneUnit !== undefined; tries++) {
      const { changed, unchanged } = await this.#lookUp(waiting);
      const documents = await this.#complete(changed);
      if (doneUnit !== undefined) await Promise.all(this.#working);
      const batch = { run, position: this.#unit.ordinal, documents, unchanged, doneUnit };
      const { rowsWritten, rowsDeleted, stale } = await store.write(batch, signal);
      this.counts.rowsWritten += rowsWritten;
      this.counts.rowsDeleted += rowsDeleted;
      if (stale.length === 0) return;
      if (tries === kMostTries)
        throw new BerthaError(
          'STORE',
          `Expected documents to stay as they are while they are written but ${stale[0]} changed ${tries} times.`,
        );
      const again = new Set(stale);
      waiting = waiting.filter(({ document }) => again.has(document.id));
    }
  }

  /** Tells changed documents from those that are stored as they are. An id that an earlier unit of this run brought is refused. */
  async #lookUp(waiting: readonly Waiting[]): Promise<{ changed: Changed[]; unchanged: string[] }> {
    const { store, run } = this.#context;
    const stored =
      waiting.length === 0 ? new Map<string, StoredDocument>() : await store.documents(waiting.map(({ document }) => document.id));
    const changed: Changed[] = [];
    const unchanged: string[] = [];
    for (const each of waiting) {
      const { id } = each.document;
      const found = stored.get(id);
      if (found !== undefined && found.run === run && found.position < this.#unit.ordinal) {
        this.counts.documents--;
        await this.refuse(duplicate(id));
      } else if (found?.contentHash === each.contentHash) {
        this.counts.documentsUnchanged++;
        unchanged.push(id);
      } else changed.push({ ...each, isStored: found !== undefined });
    }
    return { changed, unchanged };
  }

  /** Cuts documents, and embeds the chunks whose hashes the store does not have at their places. */
  async #complete(changed: readonly Changed[]): Promise<DocumentWrite[]> {
    const { store, embedder, cut, signal } = this.#context;
    if (changed.length === 0) return [];
    const known = changed.filter(({ isStored }) => isStored).map(({ document }) => document.id);
    const stored = known.length === 0 ? new Map<string, readonly string[]>() : await store.rowHashes(known);
    const cuts: { docId: string; contentHash: string; chunks: ChunkWrite[] }[] = [];
    const missing: { chunks: ChunkWrite[]; index: number }[] = [];
    for (const { document, contentHash } of changed) {
      const chunks = await cutDocument(embedder, document, cut, signal);
      const hashes = stored.get(document.id) ?? [];
      for (const [index, chunk] of chunks.entries()) if (hashes[index] !== chunk.contentHash) missing.push({ chunks, index });
      cuts.push({ docId: document.id, contentHash, chunks });
    }
    const texts = missing.map(({ chunks, index }) => chunks[index]!.text);
    const options = { priority: 'bulk', maxLength: cut.chunkTokens, ...(signal === undefined ? {} : { signal }) } as const;
    const vectors = texts.length === 0 ? [] : await embedder.encodeDocument(texts, options);
    for (const [i, { chunks, index }] of missing.entries()) chunks[index] = { ...chunks[index]!, embedding: vectors[i]!.vector };
    this.counts.embedded += missing.length;
    return cuts;
  }
}

function duplicate(id: string): BadRow {
  return { place: `document ${JSON.stringify(id)}`, problem: 'its id stands twice in the source; the first one is used' };
}
