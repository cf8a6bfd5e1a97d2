// The script of a page: reads its data and fills it.
import type { PageData } from '../data.js';
import { languageOf, type Language } from '../view/words.js';
import { showResult } from './show.js';

const data = JSON.parse(document.getElementById('data')!.textContent) as PageData & { readonly language: 'auto' | Language };
const language = languageOf(data.language, navigator.language);
document.documentElement.lang = language;
showResult(document.getElementById('page')!, data, language);
