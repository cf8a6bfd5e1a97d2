import { scaleLinear } from 'd3-scale';

interface LineChartProps {
  readonly title: string;
  /** Oldest first. */
  readonly points: readonly number[];
  /** How many there may be: the width stands for them. */
  readonly most: number;
}

const [width, height, left, bottom] = [300, 110, 38, 14];

/** A curve over time, with its latest number as text. */
export function LineChart({ title, points, most }: LineChartProps) {
  const x = scaleLinear([0, most - 1], [left, width - 4]);
  const y = scaleLinear([0, Math.max(0, ...points) || 1], [height - bottom, 8]).nice(3);
  const latest = points.at(-1);
  const shown = latest === undefined ? '–' : round(latest);
  const first = most - points.length;
  return (
    <figure>
      <figcaption>
        <span>{title}</span>
        <strong>{shown}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}: ${shown}`}>
        {y.ticks(3).map((tick) => (
          <g key={tick}>
            <line class="axis" x1={left} x2={width - 4} y1={y(tick)} y2={y(tick)} />
            <text x={left - 4} y={y(tick) + 3} text-anchor="end">
              {round(tick)}
            </text>
          </g>
        ))}
        <polyline class="curve" points={points.map((value, i) => `${x(first + i)},${y(value)}`).join(' ')} />
      </svg>
    </figure>
  );
}

function round(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)}k` : String(Number(value.toPrecision(3)));
}
