// One message: who, when, what, with its files, buttons and reactions, and what a person can do with it.
import { clock, el, fill, size } from './dom.js';
import { fileURL } from './api.js';
import { drawBlocks } from './blocks.js';
import { language, t } from './words.js';

/** Makes the node of a message; pane is what it stands in. */
export function makeMessage(pane, key, m) {
  const node = el('li', { class: 'message', tabindex: '-1', data: { key } });
  node.parts = {
    avatar: el('span', { class: 'avatar', aria: { hidden: 'true' } }),
    head: el('div', { class: 'head' }),
    reply: el('div', { class: 'replied' }),
    body: el('div', { class: 'body' }),
    files: el('div', { class: 'files' }),
    buttons: el('div', { class: 'buttons' }),
    reactions: el('div', { class: 'reactions' }),
    thread: el('div', { class: 'thread' }),
    acts: el('div', { class: 'acts' }),
  };
  const p = node.parts;
  node.append(p.avatar, el('div', { class: 'bubble' }, p.head, p.reply, p.body, p.files, p.buttons), p.reactions, p.thread, p.acts);
  node.addEventListener('click', (e) => {
    // A click on the message itself shows its turn; one on something in it does that alone.
    if (!e.target.closest('a,button,input,pre,.spoiler,audio') && pane.items(key) && pane.items(key).turn && !getSelection().toString()) pane.onTurn(pane.items(key).turn);
  });
  updateMessage(pane, node, key, m);
  return node;
}

// Draws a part anew only when what it is made of has changed: focus stays where it is while an answer grows.
function redraw(node, from, make) {
  const state = JSON.stringify(from);
  if (node.drawn === state) return;
  node.drawn = state;
  fill(node, [].concat(make()));
}

/** Brings a node up to date. */
export function updateMessage(pane, node, key, m) {
  const p = node.parts;
  const name = pane.nameOf(m);
  const mine = m.author === pane.person.id && !m.bot;
  node.classList.toggle('bot', m.bot);
  node.classList.toggle('mine', mine);
  node.classList.toggle('only', !!m.only);
  node.dataset.turn = m.turn || '';
  p.avatar.textContent = m.bot ? '🤖' : [...name][0] || '?';
  p.avatar.dataset.who = String([...m.author].reduce((n, c) => (n * 31 + c.charCodeAt(0)) % 6, 0));
  redraw(p.head, [name, m.bot, m.edits > 0, language()], () => [el('strong', { text: name }), m.bot && el('span', { class: 'badge', text: t('app') }),
    el('time', { datetime: new Date(m.at).toISOString(), text: clock(m.at) }),
    m.edits > 0 && !m.bot && el('span', { class: 'edited', text: t('edited') }),
    m.only && el('span', { class: 'edited', text: t('onlyYou') })]);
  const target = m.replyTo && pane.find(m.replyTo);
  redraw(p.reply, target ? [pane.nameOf(target), pane.excerpt(target)] : [], () => target && [el('strong', { text: pane.nameOf(target) }), ' ' + pane.excerpt(target)]);
  drawBlocks(p.body, m.blocks);
  redraw(p.files, m.files || [], () => (m.files || []).map((f, i) => drawFile(m, f, i)));
  redraw(p.buttons, m.buttons || [], () => (m.buttons || []).map((row) => el('div', { class: 'row' }, row.map((b) => drawButton(pane, m, b)))));
  redraw(p.reactions, [m.reactions || [], pane.person.id, language()], () => (m.reactions || []).map((r) => {
    const own = r.who.includes(pane.person.id);
    return el('button', {
      type: 'button', class: own ? 'reaction own' : 'reaction', aria: { pressed: String(own), label: t('reaction', { emoji: r.emoji, n: r.who.length }) },
      onclick: () => pane.react(m, r.emoji, !own), text: r.emoji + ' ' + r.who.length,
    });
  }));
  updateThread(pane, node, m);
  if (!m.only) redraw(p.acts, [mine, m.turn, m.reactions, mine && m.text, pane.person.id, pane.canThread(m), language()], () => acts(pane, m, mine));
}

/** The line under a message that leads to its thread. */
export function updateThread(pane, node, m) {
  const n = pane.replies(m);
  redraw(node.parts.thread, [n, language()], () => n > 0 && el('button', { type: 'button', class: 'link', onclick: () => pane.openThread(m), text: '💬 ' + (n === 1 ? t('oneReply') : t('replies', { n })) }));
}

function drawFile(m, f, i) {
  if (f.kind === 'image') {
    return el('a', { href: fileURL(m, i), target: '_blank', rel: 'noopener' }, el('img', { src: fileURL(m, i), alt: f.name, loading: 'lazy' }));
  }
  return el('div', { class: 'file' },
    f.kind === 'audio' ? el('audio', { controls: true, preload: 'none', src: fileURL(m, i), aria: { label: f.name } }) : el('span', { aria: { hidden: 'true' }, text: '📎' }),
    el('a', { href: fileURL(m, i, true), download: f.name, text: f.name }), el('span', { class: 'size', text: size(f.size) }));
}

function drawButton(pane, m, b) {
  if (b.url) return el('a', { class: 'press', href: b.url, target: '_blank', rel: 'noopener noreferrer', text: b.label });
  return el('button', { type: 'button', class: 'press ' + (b.style || ''), text: b.label, onclick: () => pane.press(m, b.id) });
}

// What a person can do with a message.
function acts(pane, m, mine) {
  const act = (label, sign, f, name) => el('button', { type: 'button', title: label, aria: { label }, onclick: f, text: sign, data: { act: name } });
  const all = [];
  for (const emoji of pane.platform.emoji.slice(0, 4)) {
    const own = (m.reactions || []).some((r) => r.emoji === emoji && r.who.includes(pane.person.id));
    all.push(act(t(own ? 'takeBack' : 'reactWith', { emoji }), emoji, () => pane.react(m, emoji, !own), 'react'));
  }
  if (pane.canReply(m)) all.push(act(t('reply'), '↩', () => pane.startReply(m), 'reply'));
  if (pane.canThread(m)) all.push(act(t('openThread'), '🧵', () => pane.startThread(m), 'thread'));
  if (mine) all.push(act(t('edit'), '✎', () => pane.startEdit(m), 'edit'), act(t('delete'), '🗑', () => pane.remove(m), 'delete'));
  if (m.turn) all.push(act(t('showTurn'), '⚙', () => pane.onTurn(m.turn), 'turn'));
  return all;
}
