// Draws a message from its blocks: what the platform was sent, as the stand-in's own parser reads it.
import { el } from './dom.js';
import { t } from './words.js';

// The bits of a span's style, as in internal/sim.
const style = { bold: 1, italic: 2, underline: 4, strike: 8, mono: 16, spoiler: 32, active: 64, ping: 128 };

function drawSpan(s) {
  let node = document.createTextNode(s.t);
  const wrap = (tag, props) => {
    const outer = el(tag, props);
    outer.append(node);
    node = outer;
  };
  const has = (bit) => (s.s || 0) & bit;
  if (has(style.mono)) wrap('code');
  if (has(style.bold)) wrap('strong');
  if (has(style.italic)) wrap('em');
  if (has(style.underline)) wrap('u');
  if (has(style.strike)) wrap('s');
  if (has(style.active)) wrap('span', { class: 'active' });
  if (has(style.ping)) wrap('span', { class: 'ping' });
  if (s.u) wrap('a', { href: s.u, target: '_blank', rel: 'noopener noreferrer' });
  if (has(style.spoiler)) {
    const show = (e) => {
      if (e.type === 'keydown' && e.key !== 'Enter' && e.key !== ' ') return;
      e.currentTarget.classList.add('shown');
    };
    wrap('span', { class: 'spoiler', role: 'button', tabindex: '0', aria: { label: t('spoiler') }, onclick: show, onkeydown: show });
  }
  return node;
}

const drawSpans = (list) => (list || []).map(drawSpan);

function drawTable(b) {
  const [head, ...rest] = b.r || [];
  const row = (cells, tag) => el('tr', null, cells.map((c) => el(tag, { class: 'to-' + (c.a || 'left') }, drawSpans(c.s))));
  return el('div', { class: 'wide', tabindex: '0', role: 'group', aria: { label: t('table') } },
    el('table', null, head && el('thead', null, row(head, 'th')), el('tbody', null, rest.map((r) => row(r, 'td')))));
}

function drawBlock(b) {
  let node;
  switch (b.k) {
    case 'code':
      node = el('pre', { data: { lang: b.c || '' }, tabindex: '0', aria: { label: t('code') } }, el('code', { text: (b.s || []).map((s) => s.t).join('') }));
      break;
    case 'table':
      node = drawTable(b);
      break;
    case 'rule':
      node = el('hr');
      break;
    case 'heading':
      node = el('div', { class: 'heading h' + Math.min(b.l || 1, 4), role: 'heading', 'aria-level': String(3 + Math.min(b.l || 1, 3)) }, drawSpans(b.s));
      break;
    default:
      node = el('div', { class: b.k === 'quiet' ? 'line small' : 'line' }, b.m !== undefined && el('span', { class: 'mark', text: b.m }), el('span', { class: 'text' }, drawSpans(b.s)));
      if (!b.s || !b.s.length) node.classList.add('empty');
      if (b.m !== undefined) node.classList.add('item', 'in' + Math.min(b.i || 0, 5));
  }
  for (let i = 0; i < (b.q || 0); i++) node = el('div', { class: 'quote' }, node);
  return node;
}

/** Draws blocks into a node. Those that are as they were stay, so that an answer that grows changes its end alone. */
export function drawBlocks(node, blocks) {
  const drawn = node.drawn || [];
  const next = (blocks || []).map((b) => JSON.stringify(b));
  let same = 0;
  while (same < drawn.length && same < next.length && drawn[same] === next[same]) same++;
  while (node.children.length > same) node.lastChild.remove();
  node.append(...(blocks || []).slice(same).map(drawBlock));
  node.drawn = next;
}
