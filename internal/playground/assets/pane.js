// A chat platform: its places, the messages of one of them, and the line that a person writes in.
import { announce, el, fill, toast } from './dom.js';
import { post } from './api.js';
import { items, of, on } from './live.js';
import { makeMessage, updateMessage, updateThread } from './message.js';
import { makeComposer } from './composer.js';
import { apply, onLanguage, t } from './words.js';

const byAge = (a, b) => a.at - b.at || a.id.length - b.id.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const signs = { channel: '#', forum: '🗂', group: '👥', thread: '🧵', topic: '💬', direct: '✉' };

export class Pane {
  constructor(platform, onTurn) {
    this.platform = platform;
    this.onTurn = onTurn;
    this.person = platform.people[0];
    this.room = '';
    this.thread = '';
    this.follow = ''; // id of a question whose thread is to be shown when the bot opens it
    this.nodes = new Map();
    this.lit = 0;
    this.build();
    on(['p|' + platform.name + '|', 'c|' + platform.name], () => this.drawPlaces());
    on(['m|' + platform.name + '|', 'e|' + platform.name + '|'], (keys, whole) => this.take(keys, whole));
    onLanguage(() => this.show(this.room, this.thread));
  }

  get name() { return this.platform.name; }

  items(key) { return items.get(key); }

  build() {
    const who = el('select', { class: 'who', aria: { label: t('writeAs') }, data: { label: 'writeAs' }, onchange: (e) => this.become(e.target.value) },
      this.platform.people.map((p) => el('option', { value: p.id, text: p.name })));
    this.who = who;
    this.dot = el('span', { class: 'dot', role: 'img' });
    this.places = el('ul');
    this.title = el('h3', { text: '' });
    this.back = el('button', { type: 'button', class: 'back', aria: { label: t('back') }, data: { label: 'back' }, text: '←', onclick: () => this.show(this.room, '') });
    this.topic = el('button', { type: 'button', class: 'quiet newtopic', data: { t: 'newTopic' }, onclick: () => this.newTopic() });
    this.list = el('ol', { class: 'timeline', tabindex: '0', onkeydown: (e) => this.walk(e) });
    this.typing = el('div', { class: 'typing', aria: { live: 'off' } });
    this.suggested = el('div', { class: 'suggested', hidden: true });
    this.composer = makeComposer(this);
    this.node = el('section', { class: 'pane', id: 'pane-' + this.name, data: { platform: this.name }, aria: { label: this.platform.title } },
      el('header', { class: 'pane-head' }, el('h2', { text: this.platform.title }), this.dot, el('label', { class: 'as' }, el('span', { data: { t: 'as' } }), who)),
      el('div', { class: 'pane-body' },
        el('nav', { class: 'places', data: { label: 'places' } }, this.places),
        el('div', { class: 'room' }, el('div', { class: 'room-head' }, this.back, this.title, this.topic), this.list, this.typing, this.suggested, this.composer.node)));
    apply(this.node);
  }

  // ---- places

  visible(p) { return p.kind !== 'direct' || p.room === this.person.dm; }

  all() {
    return [...of('p|' + this.name + '|')].map(([, p]) => p).filter((p) => this.visible(p)).sort((a, b) => a.order - b.order);
  }

  place() { return items.get(['p', this.name, this.room, this.thread].join('|')); }

  drawPlaces() {
    const state = items.get('c|' + this.name);
    if (state) {
      this.dot.className = state.connected ? 'dot on' : 'dot';
      this.dot.setAttribute('aria-label', t(state.connected ? 'connected' : 'disconnected'));
      this.dot.title = t(state.connected ? 'connected' : 'disconnected');
    }
    const places = this.all();
    if (!this.room && places.length) {
      this.show(places[0].room, '');
      return;
    }
    if (this.follow && !this.thread && items.has(['p', this.name, this.room, this.follow].join('|'))) {
      const thread = this.follow;
      this.follow = '';
      this.show(this.room, thread);
      return;
    }
    // Of threads only the newest of the room: all of them hang under its messages.
    const inside = places.filter((p) => p.kind === 'thread' && p.room === this.room);
    const newest = inside.slice(this.kindOfRoom() === 'forum' ? -12 : -3);
    const threads = inside.filter((p) => newest.includes(p) || p.thread === this.thread);
    const rooms = places.filter((p) => p.kind !== 'thread');
    const shown = [];
    for (const p of rooms) {
      shown.push([p, p.kind === 'topic' ? 1 : 0]);
      for (const x of threads) if (x.room === p.room) shown.push([x, 1]);
    }
    const label = (p) => (p.kind === 'direct' ? this.platform.bot : p.name || p.room);
    const sig = JSON.stringify([shown.map(([p]) => [p.room, p.thread, p.name, p.typing]), this.room, this.thread, document.documentElement.lang]);
    if (this.places.drawn !== sig) {
      this.places.drawn = sig;
      const focus = this.places.contains(document.activeElement) ? document.activeElement.dataset.at : '';
      fill(this.places, shown.map(([p, depth]) => el('li', { class: 'depth' + depth },
        el('button', {
          type: 'button', data: { at: p.room + '|' + p.thread }, title: label(p),
          'aria-current': p.room === this.room && p.thread === this.thread ? 'true' : false,
          onclick: () => this.visit(p.room, p.thread),
        }, el('span', { class: 'sign', aria: { hidden: 'true' }, text: signs[p.kind] || '#' }), el('span', { class: 'label', text: label(p) }), p.typing && el('span', { class: 'busy', aria: { hidden: 'true' }, text: '…' })))));
      if (focus) this.places.querySelector('[data-at="' + CSS.escape(focus) + '"]')?.focus();
    }
    const here = this.place();
    if (here) {
      this.title.textContent = here.kind === 'direct' ? this.platform.bot : (signs[here.kind] || '') + ' ' + (here.name || '');
      const typing = here.draft ? '✍ ' + here.draft : here.typing ? t('typing', { name: this.platform.bot }) + (here.status && here.status !== 'typing' ? ' · ' + here.status : '') : '';
      if (this.typing.textContent !== typing) this.typing.textContent = typing;
      this.topic.hidden = !(this.name === 'telegram' && here.kind === 'forum');
      this.back.hidden = !this.thread || here.kind === 'topic';
      this.composer.place(here);
      this.suggest(here);
    }
  }

  // What may be written first: what the platform suggests, or Telegram's own way to begin a chat.
  suggest(here) {
    const fresh = here.kind === 'direct' && !this.messages().some(([, m]) => !m.bot);
    const ask = (text, label) => el('button', { type: 'button', text: label || text, onclick: () => this.say(text) });
    const sig = JSON.stringify([fresh, here.prompts, this.room, document.documentElement.lang]);
    if (this.suggested.drawn === sig) return;
    this.suggested.drawn = sig;
    this.suggested.hidden = !fresh || !(here.prompts || this.name === 'telegram');
    fill(this.suggested, this.name === 'telegram' ? ask('/start', t('begin')) : (here.prompts || []).map((text) => ask(text)));
  }

  kindOfRoom() { return items.get(['p', this.name, this.room, ''].join('|'))?.kind; }

  become(id) {
    this.person = this.platform.people.find((p) => p.id === id) || this.person;
    this.who.value = this.person.id;
    const here = this.place();
    if (here && !this.visible(here)) this.visit(this.person.dm, '');
    else this.show(this.room, this.thread);
  }

  /** Shows a place that a person has chosen. */
  visit(room, thread) {
    this.show(room, thread);
    if (this.platform.opens && room === this.person.dm) post('open', { p: this.name, user: this.person.id });
  }

  /** Shows a place. */
  show(room, thread) {
    this.follow = '';
    this.room = room;
    this.thread = thread;
    this.nodes.clear();
    this.list.replaceChildren();
    this.composer.cancel();
    const all = this.messages().sort(([, a], [, b]) => byAge(a, b));
    for (const [key, m] of all) this.put(key, m);
    this.list.dataset.empty = t('nobody', { bot: this.platform.bot });
    this.drawPlaces();
    this.light(this.lit);
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** The pane shows again: what came meanwhile is at the end. */
  shown() { this.list.scrollTop = this.list.scrollHeight; }

  // ---- messages

  // A thread shows the message that it hangs under, too.
  belongs(m) {
    if (m.room !== this.room || (m.only && m.only !== this.person.id)) return false;
    return m.thread === this.thread || (!!this.thread && this.name !== 'telegram' && m.thread === '' && m.id === this.thread);
  }

  messages() {
    return [...of('m|' + this.name + '|'), ...of('e|' + this.name + '|')].filter(([, m]) => this.belongs(m));
  }

  replies(m) {
    if (this.name === 'telegram' || m.thread || this.thread) return 0;
    let n = 0;
    for (const [, x] of of('m|' + this.name + '|' + m.room + '|' + m.id + '|')) if (x.id !== m.id) n++;
    return n;
  }

  find(id) {
    for (const [, m] of of('m|' + this.name + '|' + this.room + '|')) if (m.id === id) return m;
    return undefined;
  }

  nameOf(m) {
    if (m.bot) return this.platform.bot;
    const p = this.platform.people.find((x) => x.id === m.author);
    return p ? p.name : m.author;
  }

  excerpt(m) {
    const text = (m.blocks || []).map((b) => (b.s || []).map((s) => s.t).join('')).join(' ');
    return text.length > 80 ? text.slice(0, 79) + '…' : text;
  }

  take(keys, whole) {
    if (whole) {
      this.show(this.room, this.thread);
      return;
    }
    const low = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    const parents = new Set();
    for (const key of keys) {
      const m = items.get(key);
      const node = this.nodes.get(key);
      if (!m) {
        if (node) {
          node.remove();
          this.nodes.delete(key);
        }
        const [, , room, thread] = key.split('|');
        parents.add(['m', this.name, room, '', thread].join('|'));
        continue;
      }
      if (m.thread) parents.add(['m', this.name, m.room, '', m.thread].join('|'));
      if (this.belongs(m)) this.put(key, m);
    }
    for (const key of parents) {
      const node = this.nodes.get(key);
      if (node && items.get(key)) updateThread(this, node, items.get(key));
    }
    const here = this.place();
    if (here) this.suggest(here);
    if (low) this.list.scrollTop = this.list.scrollHeight;
  }

  put(key, m) {
    const node = this.nodes.get(key);
    if (node) {
      updateMessage(this, node, key, m);
      node.classList.toggle('lit', !!m.turn && m.turn === this.lit);
      return;
    }
    const made = makeMessage(this, key, m);
    made.age = m;
    made.classList.toggle('lit', !!m.turn && m.turn === this.lit);
    let before = null;
    for (let n = this.list.lastChild; n && byAge(n.age, m) > 0; n = n.previousSibling) before = n;
    this.list.insertBefore(made, before);
    this.nodes.set(key, made);
  }

  /** Marks the messages of a turn. */
  light(turn) {
    this.lit = turn;
    for (const [key, node] of this.nodes) {
      const m = items.get(key);
      node.classList.toggle('lit', !!turn && !!m && m.turn === turn);
    }
  }

  /** Shows a message, by its key. */
  reveal(key) {
    const [, , room, thread] = key.split('|');
    const m = items.get(key);
    // What hangs in a thread is shown there.
    if (m && !this.belongs(m)) this.show(room, thread);
    const node = this.nodes.get(key);
    if (node) node.scrollIntoView({ block: 'nearest', behavior: 'auto' });
  }

  // Arrow keys go from message to message, so that Tab need not.
  walk(e) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step || e.target.closest('button,a,pre,.wide,audio')) return;
    const all = [...this.list.children];
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? all.length - 1 : Math.min(all.length - 1, Math.max(0, at + step));
    all[next].focus();
    e.preventDefault();
  }

  // ---- what a person does

  at(m) { return { p: this.name, room: m.room, thread: m.thread, id: m.id, user: this.person.id }; }

  async say(text, { mention, replyTo, files } = {}) {
    const out = await post('say', { p: this.name, room: this.room, thread: this.thread, user: this.person.id, text, mention, replyTo }, files);
    if (!out) return false;
    if (out.thread && out.thread !== this.thread) {
      this.show(out.room, out.thread); // a post in a forum
    } else if (out.id && !this.thread && this.room === out.room && this.name !== 'telegram') {
      this.follow = out.id;
      this.drawPlaces(); // the thread may be there already
    }
    this.list.scrollTop = this.list.scrollHeight;
    return true;
  }

  react(m, emoji, onIt) { return post('react', { ...this.at(m), emoji, on: onIt }); }

  remove(m) { return post('delete', this.at(m)); }

  press(m, button) { return post('press', { ...this.at(m), button }); }

  canReply(m) { return this.name !== 'slack' && !m.only; }

  startReply(m) { this.composer.reply(m); }

  startEdit(m) { this.composer.edit(m); }

  canThread(m) {
    if (this.name === 'slack') return !m.thread && !this.thread;
    return this.name === 'discord' && !this.thread && this.place()?.kind === 'channel' && this.replies(m) === 0;
  }

  async startThread(m) {
    if (this.name === 'slack') { // a thread is there with its first message
      this.openThread(m);
      return;
    }
    const out = await post('thread', { ...this.at(m), text: this.excerpt(m).slice(0, 60) || 'Thread' });
    if (out) this.show(out.room, out.thread);
  }

  openThread(m) {
    this.show(m.room, m.id);
    this.title.textContent = '🧵 ' + this.excerpt(m);
    this.back.hidden = false;
    this.composer.place({ kind: 'thread' });
    this.composer.focus();
  }

  async newTopic() {
    const name = this.composer.text().trim();
    if (!name) {
      toast(t('topicName'));
      this.composer.focus();
      return;
    }
    const out = await post('thread', { p: this.name, room: this.room, user: this.person.id, text: name });
    if (!out) return;
    this.composer.clear();
    this.show(out.room, out.thread);
    announce(t('topicMade', { name }));
  }
}
