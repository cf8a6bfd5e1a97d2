import { useState } from 'preact/hooks';
import { HeatMap } from '../parts/heat-map.js';
import type { Words } from '../words.js';

/** What `/tasks/attention` answers. */
export interface AttentionAnswer {
  readonly tokens: readonly string[];
  /** Whether the text has more tokens. */
  readonly truncated: boolean;
  /** Of the model. */
  readonly numLayers: number;
  readonly numHeads: number;
  /** [layers, heads, tokens, tokens]; a row says where its token looks. */
  readonly layers: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** Where each head of a layer looks from one token, and where all tokens look by one head. */
export function Attention({ answer, words }: { readonly answer: AttentionAnswer; readonly words: Words }) {
  const { tokens, layers } = answer;
  const [layer, chooseLayer] = useState(layers.length - 1);
  const [head, chooseHead] = useState(0);
  const [from, chooseFrom] = useState(Math.min(1, tokens.length - 1));
  const heads = layers[Math.min(layer, layers.length - 1)]!;
  const [row, chosen] = [Math.min(from, tokens.length - 1), Math.min(head, heads.length - 1)];
  const headNames = heads.map((_, i) => `${words.head} ${i + 1}`);
  return (
    <>
      <div class="row">
        <Choice name={words.layer} value={layer} choices={layers.map((_, i) => String(i + 1))} onChange={chooseLayer} />
        <Choice name={words.from} value={row} choices={tokens.map((token, i) => `${i} ${token}`)} onChange={chooseFrom} />
        <Choice name={words.head} value={chosen} choices={headNames} onChange={chooseHead} />
      </div>
      <h3>{words.headsOf}</h3>
      <HeatMap caption={tokens[row]!} rows={headNames} columns={tokens} values={heads.map((matrix) => matrix[row]!)} isDense />
      <h3>{words.tokensOf}</h3>
      <HeatMap caption={headNames[chosen]!} rows={tokens} columns={tokens} values={heads[chosen]!} isDense />
    </>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly value: number;
  readonly choices: readonly string[];
  readonly onChange: (index: number) => void;
}

/** A number that is chosen by its name. */
export function Choice({ name, value, choices, onChange }: ChoiceProps) {
  return (
    <label>
      {name}{' '}
      <select value={String(value)} onChange={(event) => onChange(Number(event.currentTarget.value))}>
        {choices.map((choice, i) => (
          <option key={i} value={String(i)}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}
