import type { AttributionBody, PageData, UnitData } from '../data.js';
import { signed } from '../view/numbers.js';
import { faithfulnessTable, tableElement, unitTable } from '../view/tables.js';
import { tokensAsUnits } from '../view/token-units.js';
import { el } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { make, put } from './dom.js';
import { barList, legend, numbersOf, scrolling, section, unitText } from './parts.js';

/** The page of attributions: the text, its largest words, and how far to believe them. */
export function attributionView(data: AttributionBody & PageData, words: Words): HTMLElement[] {
  const parts = [textSection(data, words)];
  const { faithfulness, check, features = [] } = data;
  if (features.length > 0) {
    const counted = make(section(words.counted, words.countedHint));
    counted.append(
      barList(
        features.map(({ feature, value }) => ({ name: feature, value })),
        words,
      ),
    );
    parts.push(counted);
  }
  if (faithfulness !== undefined) {
    const isFaithful = faithfulness.comprehensiveness.every((lost, i) => lost > faithfulness.random.comprehensiveness[i]!);
    const verdict = el('p', { class: isFaithful ? 'verdict' : 'warning' }, isFaithful ? words.faithfulYes : words.faithfulNo);
    const table = scrolling(tableElement({ ...faithfulnessTable(faithfulness, words), title: '' }));
    parts.push(make(section(words.faithfulness, words.faithfulnessHint, verdict, table)));
  }
  if (check !== undefined) {
    const verdict = fill(check.suspicious ? words.suspicious : words.passed, signed(check.correlation));
    parts.push(make(section(words.check, undefined, el('p', { class: check.suspicious ? 'warning' : 'verdict' }, verdict))));
  }
  return [...parts, make(numbersOf([unitTable(data, words, words.attribution)], words))];
}

function textSection(data: AttributionBody, words: Words): HTMLElement {
  const place = make(section(words.text, undefined));
  const box = document.createElement('div');
  const byToken = tokensAsUnits(data);
  const show = (isByToken: boolean): void => {
    const attributions = isByToken ? byToken : data.attributions;
    put(
      box,
      unitText({ ...data, attributions }, words),
      legend(words),
      make(el('h3', {}, words.largestWords)),
      barList(barsOf(attributions), words),
    );
  };
  show(false);
  if (byToken.length > 0) place.append(choiceOf([words.word, words.tokens], (i) => show(i === 1)));
  place.append(box);
  return place;
}

/** Two or more buttons of which one is pressed. */
export function choiceOf(names: readonly string[], choose: (index: number) => void): HTMLElement {
  const buttons = names.map((name, i) =>
    make(el('button', { type: 'button', 'aria-pressed': String(i === 0), onclick: () => pick(i) }, name)),
  );
  const pick = (index: number): void => {
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === index)));
    choose(index);
  };
  const box = make(el('div', { class: 'choice', role: 'group' }));
  box.append(...buttons);
  return box;
}

/** Units with their values as bars. */
export function barsOf(units: readonly UnitData[]): { name: string; value: number; error?: number }[] {
  return units.map(({ text, value, error }) => ({ name: text.trim() || text, value, ...(error === undefined ? {} : { error }) }));
}
