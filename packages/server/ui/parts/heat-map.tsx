import { scaleSequential } from 'd3-scale';
import { interpolateYlGnBu } from 'd3-scale-chromatic';

interface HeatMapProps {
  readonly caption: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [rows, columns], from 0 to 1; what is below is shown as 0. */
  readonly values: readonly (readonly number[])[];
  readonly digits?: number;
  readonly isDense?: boolean;
}

const colour = scaleSequential(interpolateYlGnBu).domain([0, 1]).clamp(true);

/** Above this the colours are dark, and want white numbers. */
const darkFrom = 0.65;

/** A table whose cells are coloured by their numbers, which stay readable without the colours. */
export function HeatMap({ caption, rows, columns, values, digits = 2, isDense = false }: HeatMapProps) {
  return (
    <table class={isDense ? 'heat dense' : 'heat'}>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <td />
          {columns.map((name, j) => (
            <th scope="col" key={j} title={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {values.map((row, i) => (
          <tr key={i}>
            <th scope="row" title={rows[i]}>
              {rows[i]}
            </th>
            {row.map((value, j) => (
              <td key={j} style={{ background: colour(value), color: value > darkFrom ? '#fff' : '#111' }}>
                {value.toFixed(digits)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
