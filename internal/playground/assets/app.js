// Puts the page together.
import { el, toast } from './dom.js';
import { get } from './api.js';
import { items, on, open } from './live.js';
import { Pane } from './pane.js';
import { forms } from './forms.js';
import { Turns } from './turns.js';
import { answers, bridge, faults, menus, tour } from './tools.js';
import { apply, language, load, onLanguage, setLanguage, t } from './words.js';

function theme() {
  const button = document.getElementById('theme');
  const order = ['auto', 'light', 'dark'];
  let now = localStorage.getItem('theme') || 'auto';
  const set = () => {
    if (now === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    button.textContent = { auto: '◐', light: '☀', dark: '☾' }[now];
    button.setAttribute('aria-label', t('theme.' + now));
    button.title = t('theme.' + now);
  };
  button.addEventListener('click', () => {
    now = order[(order.indexOf(now) + 1) % order.length];
    localStorage.setItem('theme', now);
    set();
  });
  onLanguage(set);
}

function languages() {
  const button = document.getElementById('language');
  onLanguage(() => {
    button.textContent = language() === 'en' ? 'VI' : 'EN';
    button.setAttribute('aria-label', t('otherLanguage'));
  });
  button.addEventListener('click', () => setLanguage(language() === 'en' ? 'vi' : 'en'));
}

// On a narrow screen one pane shows at a time.
function tabs(stage, panes) {
  const nav = document.getElementById('tabs');
  const show = (node) => {
    for (const p of panes) p.node.classList.toggle('front', p.node === node);
    for (const b of nav.children) b.setAttribute('aria-current', String(b.dataset.pane === node.id));
    for (const p of panes) if (p.node === node) p.shown?.();
  };
  for (const p of panes) {
    nav.append(el('button', { type: 'button', data: { pane: p.node.id }, text: p.node.getAttribute('aria-label'), onclick: () => show(p.node) }));
  }
  show(panes[0].node);
  return show;
}

async function start() {
  const stage = document.getElementById('stage');
  const boot = await get('/api/boot');
  let front = () => {};
  const panes = [];
  const turns = new Turns((id, reveal) => {
    for (const p of panes) p.light(id);
    if (!reveal) return;
    const did = items.get('d|' + id);
    const key = did && did.messages && did.messages[did.messages.length - 1];
    const pane = key && panes.find((p) => p.name === key.split('|')[1]);
    if (pane) {
      front(pane.node);
      pane.reveal(key);
    }
  });
  for (const platform of boot.platforms) {
    panes.push(new Pane(platform, (turn) => {
      turns.reveal(turn);
      front(turns.node);
    }));
  }
  stage.append(...panes.map((p) => p.node), turns.node);
  front = tabs(stage, [...panes, turns]);
  panes.forEach(forms);
  menus();
  answers(boot, panes);
  faults(boot);
  tour(boot, panes);
  bridge(boot);
  theme();
  languages();
  await load();
  apply(document);
  let was = true;
  open((up) => {
    if (up !== was) toast(t(up ? 'pageBack' : 'pageLost'), !up);
    was = up;
    document.body.classList.toggle('lost', !up);
  });
  on(['c|'], () => {
    const bad = boot.platforms.some((p) => (items.get('c|' + p.name) || {}).violations);
    document.body.classList.toggle('violations', bad);
  });
}

start().catch((err) => toast(String(err.message || err), true));
