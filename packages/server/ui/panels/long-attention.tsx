import { useEffect, useState } from 'preact/hooks';
import { post } from '../api.js';
import { Scores } from '../parts/scores.js';
import type { Words } from '../words.js';
import { Choice, type AttentionAnswer } from './attention.js';

interface LongProps {
  /** What the server answered without a choice: the beginning of the text. */
  readonly first: AttentionAnswer;
  readonly text: string;
  readonly model: string;
  readonly words: Words;
}

/** Tokens that a row shows. */
const most = 24;

/** The attention of a text that is too long for all heads at once: the server is asked for the head that is looked at. */
export function LongAttention({ first: { numLayers, numHeads }, text, model, words }: LongProps) {
  const [layer, chooseLayer] = useState(numLayers - 1);
  const [head, chooseHead] = useState(0);
  const [from, chooseFrom] = useState(1);
  const [answer, tell] = useState<AttentionAnswer>();
  const [failure, fail] = useState('');
  useEffect(() => {
    const { signal, abort } = abortable();
    post('tasks/attention', { inputs: text, layers: [layer], heads: [head], model }, { signal })
      .then((found) => (tell(found as AttentionAnswer), fail('')))
      .catch((error: unknown) => void (!signal.aborted && fail((error as Error).message)));
    return abort;
  }, [text, model, layer, head]);
  const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name} ${i + 1}`);
  const { tokens = [], layers } = answer ?? {};
  const row = layers?.[0]?.[0]?.[Math.min(from, tokens.length - 1)] ?? [];
  const best = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, most);
  return (
    <>
      <p class="hint">{words.longText}</p>
      <div class="row">
        <Choice name={words.layer} value={layer} choices={numbered(words.layer, numLayers)} onChange={chooseLayer} />
        <Choice name={words.head} value={head} choices={numbered(words.head, numHeads)} onChange={chooseHead} />
        <Choice name={words.from} value={from} choices={tokens.map((token, i) => `${i} ${token}`)} onChange={chooseFrom} />
      </div>
      {failure !== '' && (
        <p class="error" role="alert">
          {failure}
        </p>
      )}
      <Scores heading={words.score} nameHeading={words.token} list={best.map((j) => ({ name: `${j} ${tokens[j]}`, score: row[j]! }))} />
    </>
  );
}

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
