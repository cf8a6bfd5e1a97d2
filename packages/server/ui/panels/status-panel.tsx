import { useEffect, useState } from 'preact/hooks';
import { isReady, metrics, type ServedModel } from '../api.js';
import { LineChart } from '../parts/line-chart.js';
import type { Word, Words } from '../words.js';

/** How often the server is asked, and how many answers a chart shows: two minutes. */
const [everyMs, most] = [2000, 60];

type Samples = ReadonlyMap<string, number>;

interface Chart {
  readonly word: Word;
  /** The point of a chart between two readings that lie so many seconds apart. */
  readonly point: (now: Samples, before: Samples, seconds: number) => number;
}

const now = (name: string) => (samples: Samples) => samples.get(name) ?? 0;
const grown = (name: string, after: Samples, before: Samples): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
const rate = (name: string) => (after: Samples, before: Samples, seconds: number) => grown(name, after, before) / seconds;
/** The mean of what a histogram took in meanwhile, in milliseconds. */
const mean = (name: string) => (after: Samples, before: Samples) => {
  const count = grown(`${name}_count`, after, before);
  return count === 0 ? 0 : (1000 * grown(`${name}_sum`, after, before)) / count;
};

const charts: readonly Chart[] = [
  { word: 'requests', point: rate('te_request_count') },
  { word: 'tokenRate', point: rate('bertha_tokens_total') },
  { word: 'latency', point: mean('te_request_duration') },
  { word: 'waiting', point: mean('te_request_queue_duration') },
  { word: 'batch', point: now('te_batch_next_size') },
  { word: 'batchTokens', point: now('te_batch_next_tokens') },
  { word: 'inFlight', point: now('bertha_requests_in_flight') },
  { word: 'memory', point: (samples) => (samples.get('bertha_resident_bytes') ?? 0) / 1e6 },
];

/** The server's state: readiness, models, and curves of its metrics while the panel is open. */
export function StatusPanel({
  title,
  models,
  words,
}: {
  readonly title: string;
  readonly models: readonly ServedModel[];
  readonly words: Words;
}) {
  const [ready, setReady] = useState<boolean>();
  const [points, setPoints] = useState<readonly (readonly number[])[]>([]);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    let last: { readonly at: number; readonly samples: Samples } | undefined;
    let isOpen = true;
    const look = async (): Promise<void> => {
      try {
        const [samples, answer] = [await metrics(), await isReady()];
        const at = performance.now();
        if (!isOpen) return;
        const before = last ?? { at: at - everyMs, samples };
        last = { at, samples };
        setReady(answer);
        setFailure(undefined);
        const point = charts.map((chart) => chart.point(samples, before.samples, (at - before.at) / 1000));
        setPoints((known) => [...known, point].slice(-most));
      } catch (error) {
        if (isOpen) setFailure((error as Error).message);
      }
    };
    void look();
    const timer = setInterval(() => void look(), everyMs);
    return () => {
      isOpen = false;
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      <h2>{title}</h2>
      <p role="status">{ready === undefined ? words.loading : ready ? words.ready : words.notReady}</p>
      {failure !== undefined && (
        <p class="error" role="alert">
          {failure}
        </p>
      )}
      <div class="charts">
        {charts.map(({ word }, i) => (
          <LineChart key={word} title={words[word]} points={points.map((point) => point[i]!)} most={most} />
        ))}
      </div>
      <h3>{words.models}</h3>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{words.model}</th>
            <th scope="col">{words.abilities}</th>
            <th scope="col">{words.dimensions}</th>
            <th scope="col">{words.longest}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.id}>
              <th scope="row">{model.id}</th>
              <td>{model.abilities.join(', ')}</td>
              <td>{model.dimensions ?? ''}</td>
              <td>{model.max_tokens}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
