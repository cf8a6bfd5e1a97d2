/** Seconds that a unit costs where workers meet, and how many texts it holds. */
export interface UnitCosts {
  /** The queue's: to take a unit and to report it as done. */
  readonly queueS: number;
  /** The store's: to write a unit's rows. Workers beyond `storeAtOnce` wait for each other. */
  readonly storeS: number;
  /** How many units the store writes at the same time. */
  readonly storeAtOnce: number;
  /** A worker's own: to read, cut and embed a unit. Its units share its processors. */
  readonly computeS: number;
  readonly texts: number;
}

/** What a number of workers comes to. */
export interface ScalePoint {
  readonly workers: number;
  readonly textsPerS: number;
  /** Of the texts a second that as many workers would do if they never met. */
  readonly efficiency: number;
  /** Shares of the time for which the queue, the store and the workers' processors are busy. */
  readonly busy: Readonly<Record<'queue' | 'store' | 'compute', number>>;
}

/** A place where units are served in the order in which they come, `atOnce` at a time. */
class Station {
  busyS = 0;
  readonly #free: number[];

  constructor(atOnce: number) {
    this.#free = Array.from({ length: atOnce }, () => 0);
  }

  /** When a unit that comes at `now` leaves, after `serviceS` of service. */
  serve(now: number, serviceS: number): number {
    const next = this.#free.indexOf(Math.min(...this.#free));
    const end = Math.max(now, this.#free[next]!) + serviceS;
    this.#free[next] = end;
    this.busyS += serviceS;
    return end;
  }
}

type Step = 'take' | 'compute' | 'write' | 'report';

interface Event {
  readonly at: number;
  readonly worker: number;
  readonly step: Step;
}

/**
 * A discrete-event simulation: `workers` machines, each with `unitsAtOnce` units at a time, take units from a queue, compute them, write them to a store and
 * report them, until `units` are done. What a unit costs varies evenly by a quarter to both sides, from `random` in [0, 1).
 */
export function simulate(workers: number, costs: UnitCosts, unitsAtOnce: number, units: number, random: () => number): ScalePoint {
  const [queue, store] = [new Station(1), new Station(costs.storeAtOnce)];
  const machines = Array.from({ length: workers }, () => new Station(1));
  const varied = (seconds: number): number => seconds * (0.75 + 0.5 * random());
  const events = new EventHeap();
  for (let worker = 0; worker < workers; worker++)
    for (let slot = 0; slot < unitsAtOnce; slot++) events.push({ at: 0, worker, step: 'take' });
  let [taken, done, end] = [0, 0, 0];
  for (let event = events.pop(); event !== undefined; event = events.pop()) {
    const { at, worker, step } = event;
    if (step === 'take') {
      if (taken++ < units) events.push({ at: queue.serve(at, varied(costs.queueS / 2)), worker, step: 'compute' });
    } else if (step === 'compute') events.push({ at: machines[worker]!.serve(at, varied(costs.computeS)), worker, step: 'write' });
    else if (step === 'write') events.push({ at: store.serve(at, varied(costs.storeS)), worker, step: 'report' });
    else {
      done++;
      end = queue.serve(at, varied(costs.queueS / 2));
      events.push({ at: end, worker, step: 'take' });
    }
  }
  const textsPerS = (done * costs.texts) / end;
  const computing = machines.reduce((sum, { busyS }) => sum + busyS, 0);
  return {
    workers,
    textsPerS,
    efficiency: textsPerS / ((workers * costs.texts) / costs.computeS),
    busy: { queue: queue.busyS / end, store: store.busyS / end / costs.storeAtOnce, compute: computing / end / workers },
  };
}

/** With how many workers a station that is busy for `seconds` a unit, `atOnce` at a time, has no time left. */
export function saturation(computeS: number, seconds: number, atOnce = 1): number {
  return (computeS * atOnce) / seconds;
}

/** Events, the earliest first. */
class EventHeap {
  readonly #events: Event[] = [];

  push(event: Event): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (events[parent]!.at <= event.at) break;
      events[at] = events[parent]!;
      at = parent;
    }
    events[at] = event;
  }

  pop(): Event | undefined {
    const events = this.#events;
    const [first] = events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && events[child + 1]!.at < events[child]!.at) child++;
      if (last.at <= events[child]!.at) break;
      events[at] = events[child]!;
      at = child;
    }
    events[at] = last;
    return first;
  }
}
