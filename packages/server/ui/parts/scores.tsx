/** Something with a score from 0 to 1, or a logit, which has no bar. */
export interface Scored {
  readonly name: string;
  readonly score: number;
}

/** A list of names with their scores, as numbers and bars. */
export function Scores({
  heading,
  nameHeading,
  list,
}: {
  readonly heading: string;
  readonly nameHeading: string;
  readonly list: readonly Scored[];
}) {
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{nameHeading}</th>
          <th scope="col">{heading}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {list.map(({ name, score }, i) => (
          <tr key={i}>
            <th scope="row">{name}</th>
            <td>{score.toFixed(4)}</td>
            <td aria-hidden="true">
              <span class="bar">
                <span style={{ width: `${100 * Math.min(1, Math.max(0, score))}%` }} />
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
