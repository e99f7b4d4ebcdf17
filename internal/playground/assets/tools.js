// The tools at the top: answers to try, ways to fail, the tour, and the bridge itself.
import { el, fill, toast } from './dom.js';
import { post } from './api.js';
import { items, on } from './live.js';
import { language, onLanguage, t } from './words.js';

const sheet = (id) => document.querySelector('#' + id + ' .sheet');

/** Only one menu is open, and Escape closes it. */
export function menus() {
  const all = [...document.querySelectorAll('details.menu')];
  for (const menu of all) {
    menu.addEventListener('toggle', () => { if (menu.open) for (const other of all) if (other !== menu) other.open = false; });
    menu.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || !menu.open) return;
      menu.open = false;
      menu.querySelector('summary').focus();
    });
  }
  document.addEventListener('click', (e) => { for (const menu of all) if (menu.open && !menu.contains(e.target)) menu.open = false; });
}

/** Answers to try: asked in the room whose app can give them, on each platform that is ticked. */
export function answers(boot, panes) {
  const node = sheet('answers');
  const on = new Set(boot.platforms.map((p) => p.name));
  const draw = () => {
    if (!boot.samples.length) {
      fill(node, el('p', { text: t('realApp') }));
      return;
    }
    fill(node, el('p', { class: 'where' }, el('span', { text: t('askOn') }), boot.platforms.map((p) => el('label', null,
      el('input', { type: 'checkbox', value: p.name, checked: on.has(p.name), onchange: (e) => (e.target.checked ? on.add(p.name) : on.delete(p.name)) }), p.title))),
    el('div', { class: 'choices' }, boot.samples.map((s) => el('button', {
      type: 'button', data: { sample: s.name }, title: s.title,
      onclick: () => ask(panes.filter((p) => on.has(p.name)), s),
    }, t('sample.' + s.name)))));
  };
  onLanguage(draw);
}

async function ask(panes, sample) {
  const text = language() === 'vi' ? sample.vi : sample.question;
  await Promise.all(panes.map((pane) => {
    const at = pane.platform.rooms[sample.mode];
    if (!at) return undefined;
    const room = at.direct ? pane.person.dm : at.room;
    pane.show(room, at.thread || '');
    return pane.say(text, { mention: at.mention });
  }));
}

/** Make it fail: ClickAI, a platform, or the bridge itself. */
export function faults(boot) {
  const node = sheet('faults');
  const draw = () => {
    const button = (key, act) => el('button', { type: 'button', data: { fault: act.kind + (act.p ? '-' + act.p : '') }, title: t('hint.' + key), text: t('fault.' + key), onclick: async () => { if (await post('fault', act)) toast(t('armed', { what: t('fault.' + key) })); } });
    fill(node,
      el('h3', { text: 'ClickAI' }), el('div', { class: 'choices' }, ['busy', 'cut', 'slow', 'error'].map((k) => button(k, { kind: k }))),
      boot.platforms.map((p) => [el('h3', { text: p.title }), el('div', { class: 'choices' },
        button('limit', { kind: 'limit', p: p.name }), button('disconnect', { kind: 'disconnect', p: p.name }))]),
      el('p', { class: 'armed', id: 'armed' }));
    armed();
  };
  const armed = () => {
    const list = items.get('f') || [];
    const line = document.getElementById('armed');
    if (line) line.textContent = list.length ? t('waiting') + ' ' + list.map((f) => t('fault.' + f)).join(', ') : '';
  };
  on(['f'], armed);
  onLanguage(draw);
}

/** The tour: its steps as they are seen. */
export function tour(boot, panes) {
  const node = sheet('tour');
  const start = async () => {
    for (const p of panes) p.touring = true;
    await post('tour', {});
  };
  const draw = () => {
    const state = items.get('o') || { steps: [] };
    const byPlatform = {};
    for (const s of state.steps || []) (byPlatform[s.platform] = byPlatform[s.platform] || []).push(s);
    fill(node, el('p', { text: t('tourIs') }),
      el('button', { type: 'button', id: 'tour-start', disabled: state.running || !boot.tour, text: t(state.running ? 'tourRuns' : 'tourStart'), onclick: start }),
      Object.entries(byPlatform).map(([name, steps]) => [el('h3', { text: name }), el('ol', { class: 'steps' }, steps.map((s) => el('li', { class: s.seen ? 'seen' : 'unseen-step' }, (s.seen ? '✓ ' : '✗ ') + s.name, el('small', { text: s.detail }))))]),
      state.done && el('p', { class: 'result', id: 'tour-result', text: t(state.failed ? 'tourFailed' : 'tourDone') }));
    if (!state.running) for (const p of panes) p.touring = false;
  };
  on(['o'], draw);
  onLanguage(draw);
  // While the tour plays, each pane shows where something happens.
  for (const pane of panes) {
    on(['m|' + pane.name + '|'], (keys) => {
      if (!(items.get('o') || {}).running) return;
      for (const key of keys) {
        const m = items.get(key);
        if (m && m.bot && !pane.belongs(m)) {
          pane.show(m.room, m.thread);
          return;
        }
      }
    });
  }
}

/** How the bridge stands, and its two buttons. */
export function bridge(boot) {
  const node = document.getElementById('bridge');
  const draw = () => {
    const b = items.get('b');
    if (!boot.bridge || !b) return;
    const runs = b.state === 'running';
    fill(node, el('span', { class: 'bridge-state ' + b.state, id: 'bridge-state', text: t('bridge.' + b.state) }),
      el('button', { type: 'button', id: 'bridge-kill', disabled: !runs, title: t('killHint'), text: t('kill'), onclick: () => post('bridge', { kind: 'kill' }) }),
      el('button', { type: 'button', id: 'bridge-start', disabled: runs || b.state === 'stopping', text: t('start'), onclick: () => post('bridge', { kind: 'start' }) }));
  };
  on(['b'], draw);
  onLanguage(draw);
}
