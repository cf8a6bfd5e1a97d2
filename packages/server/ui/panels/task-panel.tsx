import { useEffect, useRef, useState } from 'preact/hooks';
import { post, type Progress, type ServedModel } from '../api.js';
import type { Language, Words } from '../words.js';
import { Written } from '../parts/written.js';
import type { Field, Task, Values } from './task.js';

interface PanelProps {
  readonly task: Task;
  /** Those that can do it. */
  readonly models: readonly ServedModel[];
  readonly language: Language;
  readonly words: Words;
}

type Outcome = { readonly answer: unknown; readonly values: Values; readonly model: string } | { readonly failure: string } | undefined;

/** A task's form, and the answer below it. */
export function TaskPanel({ task, models, language, words }: PanelProps) {
  const [model, chooseModel] = useState(models[0]!.id);
  const [typed, type] = useState<Values>({});
  const [outcome, tell] = useState<Outcome>();
  const [progress, setProgress] = useState<Progress>();
  const [written, write] = useState('');
  const running = useRef<AbortController | undefined>(undefined);
  const [isRunning, setRunning] = useState(false);
  useEffect(() => () => running.current?.abort(), []);
  const values = Object.fromEntries(task.fields.map(({ name, sample }) => [name, typed[name] ?? sample[language]]));
  const run = async (): Promise<void> => {
    if (isRunning) return;
    const { signal } = (running.current = new AbortController());
    setRunning(true);
    setProgress(undefined);
    write('');
    const { path, body } = task.ask(values, model);
    try {
      if (task.isWritten === true) tell(undefined);
      tell({ answer: await post(path, body, { signal, onProgress: setProgress, onText: write }), values, model });
    } catch (error) {
      tell(signal.aborted ? undefined : { failure: (error as Error).message });
    }
    setRunning(false);
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    void run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void run();
  };
  return (
    <>
      <h2>{task.title[language]}</h2>
      <p class="hint">{task.hint[language]}</p>
      <form onSubmit={onSubmit} onKeyDown={onKeyDown}>
        <label>
          {words.model}
          <select value={model} onChange={(event) => chooseModel(event.currentTarget.value)}>
            {models.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        {task.fields.map((field) => (
          <Input
            key={field.name}
            field={field}
            value={values[field.name]!}
            words={words}
            onInput={(text) => type({ ...typed, [field.name]: text })}
          />
        ))}
        <button class="run" type="submit" disabled={isRunning}>
          {isRunning ? words.running : words.run}
        </button>
        {isRunning && (
          <button class="cancel" type="button" onClick={() => running.current?.abort()}>
            {words.cancel}
          </button>
        )}
        {isRunning && progress !== undefined && <progress aria-label={words.running} value={progress.done} max={progress.total} />}
      </form>
      <div class="result" role="status" aria-live="polite">
        {outcome === undefined && written !== '' && <Written text={written} />}
        {outcome !== undefined && 'answer' in outcome && task.show(outcome.answer as never, outcome.values, words, outcome.model)}
      </div>
      {outcome !== undefined && 'failure' in outcome && (
        <p class="error" role="alert">
          {outcome.failure}
        </p>
      )}
    </>
  );
}

interface InputProps {
  readonly field: Field;
  readonly value: string;
  readonly words: Words;
  readonly onInput: (text: string) => void;
}

function Input({ field: { word, kind, name, choices }, value, words, onInput }: InputProps) {
  if (choices !== undefined) {
    return (
      <label>
        {words[word]}
        <select name={name} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </label>
    );
  }
  if (kind === 'line') {
    return (
      <label>
        {words[word]}
        <input name={name} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
      </label>
    );
  }
  return (
    <label>
      {words[word]}
      <textarea name={name} rows={kind === 'lines' ? 5 : 3} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}
