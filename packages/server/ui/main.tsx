// The page at /ui: every task of the loaded models, and the server's state.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { loadedModels, type ServedModel, useKey } from './api.js';
import { explainTasks } from './panels/explain-tasks.js';
import { headTasks } from './panels/head-tasks.js';
import { StatusPanel } from './panels/status-panel.js';
import { TaskPanel } from './panels/task-panel.js';
import { vectorTasks } from './panels/vector-tasks.js';
import { writingTasks } from './panels/writing-tasks.js';
import { initialLanguage, type Language, languages, type Words } from './words.js';

const tasks = [...vectorTasks, ...headTasks, ...writingTasks, ...explainTasks];
const statusTitle = { en: 'Status', zh: '状态' };
const storedLanguage = 'bertha-language';

/** How often a page without models asks for them. */
const retryMs = 2000;

function Page() {
  const [language, chooseLanguage] = useState(() => initialLanguage(localStorage.getItem(storedLanguage), navigator.language));
  const [key, setKey] = useState('');
  const { models, failure } = useModels(key);
  const [wanted, open] = useState(() => location.hash.slice(1));
  const words: Words = languages[language].words;
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(storedLanguage, language);
  }, [language]);
  const offered = tasks.flatMap((task) => {
    const able = models.filter(({ abilities }) => task.ability === null || abilities.includes(task.ability));
    return able.length === 0 ? [] : [{ task, able }];
  });
  const tabs = [
    ...offered.map(({ task }) => ({ id: task.id, title: task.title[language] })),
    { id: 'status', title: statusTitle[language] },
  ];
  const opened = tabs.some(({ id }) => id === wanted) ? wanted : tabs[0]!.id;
  const shown = offered.find(({ task }) => task.id === opened);
  return (
    <>
      <header>
        <h1>Bertha</h1>
        <span>{words.subtitle}</span>
        <div class="right">
          <label>
            {words.key}
            <input type="password" autocomplete="off" value={key} onChange={(event) => setKey(event.currentTarget.value)} />
          </label>
          <label>
            {words.language}
            <select value={language} onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}>
              {Object.entries(languages).map(([tag, { name }]) => (
                <option key={tag} value={tag} lang={tag}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </header>
      <div class="layout">
        <Tabs label={words.tasks} tabs={tabs} opened={opened} onOpen={open} />
        <main>
          <div id="panel" role="tabpanel" aria-labelledby={`tab-${opened}`} tabIndex={0}>
            {failure !== undefined && (
              <p class="error" role="alert">
                {failure}
              </p>
            )}
            {models.length === 0 && failure === undefined && <p role="status">{words.noModels}</p>}
            {shown === undefined ? (
              <StatusPanel title={statusTitle[language]} models={models} words={words} />
            ) : (
              <TaskPanel key={opened} task={shown.task} models={shown.able} language={language} words={words} />
            )}
          </div>
        </main>
      </div>
    </>
  );
}

/** The loaded models, asked for until there are some. */
function useModels(key: string): { readonly models: readonly ServedModel[]; readonly failure?: string | undefined } {
  const [models, setModels] = useState<readonly ServedModel[]>([]);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    useKey(key);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        const found = await loadedModels();
        setModels(found);
        setFailure(undefined);
        if (found.length === 0) timer = setTimeout(() => void ask(), retryMs);
      } catch (error) {
        setFailure((error as Error).message);
      }
    };
    void ask();
    return () => clearTimeout(timer);
  }, [key]);
  return { models, failure };
}

interface TabsProps {
  readonly label: string;
  readonly tabs: readonly { readonly id: string; readonly title: string }[];
  readonly opened: string;
  readonly onOpen: (id: string) => void;
}

/** Tabs as WAI-ARIA has them: one stop of the Tab key, arrows, Home and End between them. */
function Tabs({ label, tabs, opened, onOpen }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);
  const go = (index: number): void => {
    const { id } = tabs[(index + tabs.length) % tabs.length]!;
    location.hash = id;
    onOpen(id);
    list.current?.querySelector<HTMLElement>(`#tab-${id}`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(({ id }) => id === opened);
    const next = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    go(next);
  };
  return (
    <div role="tablist" aria-label={label} aria-orientation="vertical" ref={list} onKeyDown={onKeyDown}>
      {tabs.map(({ id, title }, i) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === opened}
          aria-controls="panel"
          tabIndex={id === opened ? 0 : -1}
          onClick={() => go(i)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

render(<Page />, document.getElementById('page')!);
