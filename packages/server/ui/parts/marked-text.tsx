import { schemeTableau10 } from 'd3-scale-chromatic';
import type { ComponentChildren } from 'preact';

/** A part of a text that is told apart. */
export interface Span {
  /** In UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** What is written behind it, and chooses its colour. */
  readonly label: string;
}

/** A text in which spans are coloured, with their labels. Spans that overlap an earlier one are left out. */
export function MarkedText({ text, spans }: { readonly text: string; readonly spans: readonly Span[] }) {
  const labels = [...new Set(spans.map(({ label }) => label))];
  const parts: ComponentChildren[] = [];
  let done = 0;
  for (const { start, end, label } of [...spans].sort((a, b) => a.start - b.start)) {
    if (start < done) continue;
    const colour = schemeTableau10[labels.indexOf(label) % schemeTableau10.length]!;
    parts.push(
      text.slice(done, start),
      <mark key={start} style={{ background: `${colour}55`, color: 'inherit', boxShadow: `inset 0 -3px ${colour}` }}>
        {text.slice(start, end)}
        <small>{label}</small>
      </mark>,
    );
    done = end;
  }
  parts.push(text.slice(done));
  return <p class="text">{parts}</p>;
}
