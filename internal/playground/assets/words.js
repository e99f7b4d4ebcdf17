// The page's words in English and Vietnamese. words.json has the same keys for both; a test sees to that.
import { get } from './api.js';

let all = {};
let lang = 'en';
const watchers = [];

export const language = () => lang;

/** A text in the page's language; {name} is replaced by vars.name. */
export function t(key, vars) {
  const text = (all[lang] && all[lang][key]) || (all.en && all.en[key]) || key;
  return text.replace(/\{(\w+)\}/g, (m, name) => (vars && name in vars ? vars[name] : m));
}

/** Sets the texts that stand in the document. */
export function apply(root) {
  for (const node of root.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll('[data-label]')) node.setAttribute('aria-label', t(node.dataset.label));
  for (const node of root.querySelectorAll('[data-hint]')) node.setAttribute('placeholder', t(node.dataset.hint));
}

export function onLanguage(f) {
  watchers.push(f);
}

export function setLanguage(next) {
  lang = next;
  document.documentElement.lang = next;
  localStorage.setItem('language', next);
  apply(document);
  for (const f of watchers) f();
}

export async function load() {
  all = await get('/assets/words.json');
  const kept = localStorage.getItem('language');
  setLanguage(kept in all ? kept : (navigator.language || '').startsWith('vi') ? 'vi' : 'en');
}
