// ClickAI's side: each turn with what was asked, what came, and what the bridge made of it.
import { announce, clock, el, fill, seconds, size } from './dom.js';
import { items, of, on } from './live.js';
import { onLanguage, t } from './words.js';

const most = 40; // cards at once

export class Turns {
  constructor(onSelect) {
    this.onSelect = onSelect;
    this.selected = 0;
    this.pinned = false; // a person chose the turn; else the newest is shown
    this.cards = new Map();
    this.list = el('ol', { class: 'turns' });
    this.empty = el('p', { class: 'nothing', data: { t: 'noTurns' } });
    this.follow = el('input', { type: 'checkbox', checked: true, onchange: (e) => { this.pinned = !e.target.checked; this.choose(); } });
    this.node = el('section', { class: 'pane clickai', id: 'pane-clickai', aria: { label: 'ClickAI' } },
      el('header', { class: 'pane-head' }, el('h2', { text: 'ClickAI' }), el('label', { class: 'as' }, this.follow, el('span', { data: { t: 'newest' } }))),
      el('div', { class: 'turns-body' }, this.empty, this.list));
    on(['t|', 'd|', 'v|'], (keys, whole) => this.take(keys, whole));
    onLanguage(() => this.take([], true));
  }

  take(keys, whole) {
    if (whole) {
      this.cards.clear();
      this.list.replaceChildren();
      const chosen = this.selected;
      this.selected = 0;
      if (this.pinned && items.has('t|' + chosen)) queueMicrotask(() => this.select(chosen, true));
      keys = [...of('t|')].map(([k]) => k);
    }
    const ids = new Set(keys.map((k) => Number(k.split('|')[1])));
    for (const id of [...ids].sort((a, b) => a - b)) this.draw(id, whole);
    this.empty.hidden = this.cards.size > 0;
    while (this.list.children.length > most) this.drop(this.list.lastChild.turn);
    this.choose();
  }

  choose() {
    if (this.pinned) return;
    const newest = Math.max(0, ...this.cards.keys());
    if (newest && newest !== this.selected) this.select(newest, false);
  }

  drop(id) {
    this.cards.get(id)?.remove();
    this.cards.delete(id);
  }

  draw(id, old) {
    const turn = items.get('t|' + id);
    if (!turn) {
      this.drop(id);
      return;
    }
    let card = this.cards.get(id);
    if (!card) {
      card = this.make(id);
      card.told = old && turn.status !== 'running'; // what was over before is no news
      this.cards.set(id, card);
      let before = this.list.firstChild;
      while (before && before.turn > id) before = before.nextSibling;
      this.list.insertBefore(card, before);
    }
    this.update(card, turn);
  }

  make(id) {
    const card = el('li', { class: 'turn', id: 'turn-' + id });
    card.turn = id;
    card.head = el('button', { type: 'button', class: 'turn-head', aria: { expanded: 'false' }, onclick: () => this.toggle(id) });
    card.detail = el('div', { class: 'turn-detail', hidden: true });
    card.append(card.head, card.detail);
    return card;
  }

  toggle(id) {
    if (this.selected === id && this.pinned) {
      this.select(0, true);
      return;
    }
    this.select(id, true);
    this.onSelect(id, true);
  }

  /** Shows a turn. A person's choice stays; else the newest one is shown. */
  select(id, chosen) {
    if (chosen) {
      this.pinned = true;
      this.follow.checked = false;
    }
    const before = this.cards.get(this.selected);
    this.selected = id;
    for (const card of [before, this.cards.get(id)]) {
      if (!card) continue;
      const open = card.turn === id;
      card.classList.toggle('open', open);
      card.head.setAttribute('aria-expanded', String(open));
      card.detail.hidden = !open;
      if (!open) card.detail.replaceChildren();
      const turn = items.get('t|' + card.turn);
      if (open && turn) this.update(card, turn);
    }
    this.onSelect(id, false);
  }

  reveal(id) {
    this.select(id, true);
    this.cards.get(id)?.scrollIntoView({ block: 'nearest' });
  }

  update(card, turn) {
    const did = items.get('d|' + turn.id);
    const state = turn.status === 'running' ? '' : ' ' + seconds(turn.took || 0);
    fill(card.head,
      el('span', { class: 'turn-line' },
        el('span', { class: 'number', text: '#' + turn.id }),
        el('span', { class: 'from ' + (turn.p || ''), text: (turn.p || '') + (turn.where ? ' · ' + turn.where : '') }),
        el('span', { class: 'status ' + turn.status, text: t('status.' + turn.status) + state })),
      el('span', { class: 'query', text: turn.query || turn.path }));
    if (!card.told && turn.status !== 'running' && turn.p) {
      card.told = true;
      announce(t('answered', { platform: turn.p, status: t('status.' + turn.status) }));
    }
    if (!card.detail.hidden) this.detail(card, turn, did);
  }

  detail(card, turn, did) {
    const d = card.detail;
    if (!d.firstChild) {
      d.facts = el('dl', { class: 'facts' });
      d.request = el('pre', { tabindex: '0', aria: { label: t('request') } });
      d.bridge = el('div', { class: 'did' });
      d.events = el('ol', { class: 'events', tabindex: '0', aria: { label: t('events') } });
      d.count = el('h4');
      d.chunks = [];
      d.append(el('h4', { text: t('bridgeDid') }), d.bridge, el('h4', { text: t('asked') }), d.facts,
        el('details', { class: 'body', open: true }, el('summary', { text: t('request') + ' · POST ' + turn.path }), d.request), d.count, d.events);
    }
    const fact = (name, value) => value && [el('dt', { text: name }), el('dd', { text: value })];
    fill(d.facts, fact('conversation_id', turn.conversation && turn.conversation + (turn.sent ? '' : ' · ' + t('newConversation'))), fact('user', turn.user), fact('message_id', turn.message), fact('workflow_run_id', turn.run),
      fact(t('uploads'), (turn.files || []).map((f) => f.name + ' · ' + size(f.size) + ' · ' + f.id).join('\n')),
      fact(t('ratings'), (turn.ratings || []).map((r) => clock(r.at) + ' ' + (r.rating || 'null') + (r.content ? ' · ' + r.content : '')).join('\n')),
      fact(t('error'), turn.error), fact(t('made'), (turn.faults || []).map((f) => t('fault.' + f)).join(', ')),
      fact('HTTP', turn.http && turn.http !== 200 ? String(turn.http) : ''));
    if (d.request.textContent !== turn.request) d.request.textContent = turn.request;
    this.drawDid(d.bridge, turn, did);
    d.count.textContent = t('eventsOf', { n: turn.events, first: turn.first ? seconds(turn.first) : '–' });
    this.drawEvents(d, turn);
  }

  drawDid(node, turn, did) {
    if (!did || !did.posts) {
      fill(node, el('p', { class: 'nothing', text: t('nothingYet') }));
      return;
    }
    const box = (name, value, hint) => el('div', { class: 'box', title: hint }, el('b', { text: value }), el('span', { text: name }));
    const width = Math.max(1, ...did.states.map((s) => s.at));
    const top = Math.max(1, turn.letters, ...did.states.map((s) => s.n));
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 200 40');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', t('growth'));
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
    line.setAttribute('points', '0,40 ' + did.states.map((s) => (s.at / width) * 200 + ',' + (40 - (s.n / top) * 38)).join(' '));
    svg.append(line);
    fill(node, el('div', { class: 'boxes' },
      box(t('posts'), String(did.posts)), box(t('edits'), String(did.edits)), box(t('firstText'), seconds(did.first)),
      box(t('budget'), did.budget.left + '/' + did.budget.of, t('budgetHint')),
      box(t('lag'), seconds(did.median), t('lagHint')), box(t('lagWorst'), seconds(did.worst), t('lagHint'))), svg);
  }

  // Rows are only ever added: a chunk that has grown gets those that are new.
  drawEvents(d, turn) {
    // It stays at its end unless a person has scrolled up since.
    const low = d.events.at === undefined || d.events.scrollTop >= d.events.at - 4;
    for (let c = 0; ; c++) {
      const chunk = items.get('v|' + turn.id + '|' + c);
      if (!chunk) break;
      const from = d.chunks[c] || 0;
      for (let i = from; i < chunk.length; i++) {
        const [ms, kind, text, data] = chunk[i];
        d.events.append(el('li', { class: 'event ' + (text ? 'text' : 'other') },
          el('time', { text: seconds(ms) }), el('b', { text: kind }), el('span', { text: text || data })));
      }
      d.chunks[c] = chunk.length;
    }
    if (low) {
      d.events.scrollTop = d.events.scrollHeight;
      d.events.at = d.events.scrollTop;
    }
  }
}
