import type { PageData } from '../data.js';
import { headingOf } from '../view/heading.js';
import { el } from '../view/tree.js';
import { fill, languages, type Language } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { attentionView } from './attention.js';
import { attributionView } from './attribution.js';
import { make } from './dom.js';
import { errorsView } from './errors.js';
import { mapView } from './map.js';
import { similarityView } from './similarity.js';
import { checkView, lensView, probeView, rolloutView, tokensView, trainingView } from './simple-views.js';

/** Fills a place of a document with the view of a result: a page of its own, or a part of one. */
export function showResult(place: HTMLElement, data: PageData, language: Language): void {
  const words = languages[language];
  const { kind, question, facts, claims, warnings } = headingOf(data, words);
  const header = el(
    'header',
    {},
    el('p', { class: 'kind' }, kind),
    el('h1', { dir: 'auto' }, question),
    el(
      'dl',
      { class: 'facts' },
      facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, el('bdi', {}, value)))),
    ),
    warnings.map((warning) => el('p', { class: 'warning', dir: 'auto' }, warning)),
  );
  const main = make(el('main', {}));
  main.append(...viewOf(data, words));
  const footer = el(
    'footer',
    {},
    el('h2', {}, words.mayClaim),
    el(
      'ul',
      {},
      claims.map((claim) => el('li', {}, claim)),
    ),
    el('p', { class: 'faint' }, fill(words.madeBy, `bertha-encoder ${data.version}`)),
  );
  place.replaceChildren(make(header), main, make(footer));
}

function viewOf(data: PageData, words: Words): HTMLElement[] {
  switch (data.kind) {
    case 'attribution':
      return attributionView(data, words);
    case 'similarity':
      return similarityView(data, words);
    case 'attention':
      return attentionView(data, words);
    case 'rollout':
      return rolloutView(data, words);
    case 'training':
      return trainingView(data, words);
    case 'lens':
      return lensView(data, words);
    case 'probe':
      return probeView(data, words);
    case 'map':
      return mapView(data, words);
    case 'errors':
      return errorsView(data, words);
    case 'check':
      return checkView(data, words);
    case 'tokens':
      return tokensView(data, words);
  }
}
