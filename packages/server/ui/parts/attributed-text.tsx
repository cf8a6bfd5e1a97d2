import type { Words } from '../words.js';

/** What a stretch of a text adds to a score. */
export interface Unit {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly sequence: number;
  readonly value: number;
}

/** Of an explanation what is shown. */
export interface Attribution {
  readonly text: string;
  readonly score: number;
  readonly baselineScore: number;
  readonly baseline: string;
  readonly method: string;
  readonly delta: number | null;
  readonly attributions: readonly Unit[];
  readonly warnings: readonly string[];
}

/** Values in the list below a text. */
const listed = 8;

/** A text whose words are tinted by what they add: orange and a solid line raise the score, blue and a dashed line lower it. */
export function AttributedText({ attribution, words }: { readonly attribution: Attribution; readonly words: Words }) {
  const { text, attributions, score, baselineScore, baseline, method, warnings } = attribution;
  const largest = Math.max(1e-12, ...attributions.map(({ value }) => Math.abs(value)));
  const own = attributions.filter(({ sequence }) => sequence === 0);
  const best = [...attributions].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, listed);
  return (
    <>
      <p class="text" dir="auto">
        {own.map(({ start, end, value }, i) => (
          <>
            {text.slice(own[i - 1]?.end ?? 0, start)}
            <span key={start} title={signed(value)} style={tint(value, largest)}>
              {text.slice(start, end)}
            </span>
          </>
        ))}
        {text.slice(own.at(-1)?.end ?? 0)}
      </p>
      <p class="hint">
        {words.score} {score.toFixed(3)}; {words.baseline} {baseline}: {baselineScore.toFixed(3)}; {method}
      </p>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{words.word}</th>
            <th scope="col">{words.adds}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {best.map((unit) => (
            <tr key={`${unit.sequence} ${unit.start}`}>
              <th scope="row" dir="auto">
                {unit.text}
              </th>
              <td>{signed(unit.value)}</td>
              <td aria-hidden="true">
                <span class="bar">
                  <span style={{ width: `${(100 * Math.abs(unit.value)) / largest}%`, background: unit.value < 0 ? lowers : raises }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {warnings.map((warning) => (
        <p class="hint">{warning}</p>
      ))}
    </>
  );
}

const [raises, lowers] = ['#d9730d', '#2f6fdd'];

function tint(value: number, largest: number): Record<string, string> {
  const share = Math.abs(value) / largest;
  const colour = value < 0 ? lowers : raises;
  const alpha = Math.round(150 * share)
    .toString(16)
    .padStart(2, '0');
  return { background: `${colour}${alpha}`, borderBottom: share < 0.02 ? 'none' : `2px ${value < 0 ? 'dashed' : 'solid'} ${colour}` };
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}
