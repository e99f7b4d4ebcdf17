// The line that a person writes in: text, files, reply, edit, and whether the bot is named.
import { el, fill, size, toast } from './dom.js';
import { post } from './api.js';
import { items } from './live.js';
import { t } from './words.js';

const most = 10;

export function makeComposer(pane) {
  let files = [];
  let replyTo;
  let editing;
  let place;

  const area = el('textarea', { rows: '1', role: 'combobox', aria: { controls: 'offers-' + pane.name, expanded: 'false', autocomplete: 'list' }, data: { hint: 'write', label: 'write' } });
  const mention = el('input', { type: 'checkbox', checked: true });
  const mentionLabel = el('label', { class: 'mention' }, mention, el('span', { text: '@' + pane.platform.bot }));
  const pick = el('input', { type: 'file', multiple: true, class: 'unseen', tabindex: '-1', aria: { hidden: 'true' }, onchange: (e) => { add(e.target.files); e.target.value = ''; } });
  const chips = el('div', { class: 'chips' });
  const about = el('div', { class: 'about', hidden: true });
  const offers = el('ul', { class: 'offers', role: 'listbox', id: 'offers-' + pane.name, hidden: true });
  const form = el('form', { class: 'composer' }, about, chips, offers, area,
    el('div', { class: 'row' },
      el('button', { type: 'button', class: 'attach', data: { label: 'attach' }, text: '📎', onclick: () => pick.click() }), pick,
      mentionLabel, el('button', { type: 'submit', class: 'send', data: { t: 'send' } })));

  function add(list) {
    for (const f of list) {
      if (files.length === most) {
        toast(t('tooManyFiles', { n: most }), true);
        break;
      }
      files.push(f);
    }
    drawFiles();
    area.focus();
  }

  function drawFiles() {
    fill(chips, files.map((f) => el('span', { class: 'chip' }, '📎 ' + f.name + ' · ' + size(f.size),
      el('button', { type: 'button', aria: { label: t('removeFile', { name: f.name }) }, text: '×', onclick: () => { files = files.filter((x) => x !== f); drawFiles(); } }))));
  }

  function grow() {
    area.rows = Math.min(6, area.value.split('\n').length);
  }

  // What the platform offers when a person types a slash: its own list of the bot's commands.
  let picked = 0;
  function offer() {
    const typed = area.value;
    const all = (items.get('c|' + pane.name) || {}).commands || [];
    const fit = typed.startsWith('/') && !typed.includes(' ') ? all.filter((c) => c.name.startsWith(typed) && c.name !== typed) : [];
    picked = Math.min(picked, Math.max(0, fit.length - 1));
    fill(offers, fit.map((c, i) => el('li', { role: 'option', id: 'offer-' + pane.name + '-' + i, 'aria-selected': String(i === picked), data: { command: c.name }, onclick: () => take(c) },
      el('b', { text: c.name }), c.arg && el('i', { text: ' ' + c.arg }), el('span', { text: c.does }))));
    offers.hidden = !fit.length;
    area.setAttribute('aria-expanded', String(!offers.hidden));
    if (fit.length) area.setAttribute('aria-activedescendant', 'offer-' + pane.name + '-' + picked);
    else area.removeAttribute('aria-activedescendant');
    offers.list = fit;
  }

  function take(c) {
    // In a group, Telegram's menu says which bot is meant.
    const group = pane.name === 'telegram' && place && place.kind !== 'direct';
    area.value = c.name + (group ? '@acme_support_bot' : '') + (pane.name === 'telegram' ? '' : ' ');
    offer();
    area.focus();
  }

  function cancel() {
    replyTo = undefined;
    if (editing) area.value = '';
    editing = undefined;
    about.hidden = true;
    form.classList.remove('editing');
    grow();
  }

  function tell(text) {
    fill(about, el('span', { text }), el('button', { type: 'button', aria: { label: t('cancel') }, text: '×', onclick: cancel }));
    about.hidden = false;
  }

  async function send(e) {
    e?.preventDefault();
    const text = area.value.trim();
    if (!text && !files.length) return;
    if (editing) {
      const m = editing;
      if (await post('edit', { ...pane.at(m), text })) {
        area.value = '';
        cancel();
      }
      return;
    }
    offers.hidden = true;
    const kept = files;
    const value = area.value;
    area.value = '';
    files = [];
    drawFiles();
    const named = mention.checked && !mentionLabel.hidden && !text.startsWith('/') && !text.startsWith('!');
    const done = await pane.say(text, { mention: named, replyTo: replyTo && replyTo.id, files: kept });
    if (done) {
      cancel();
    } else { // what was refused can be sent again
      area.value = value;
      files = kept;
      drawFiles();
    }
    grow();
  }

  form.addEventListener('submit', send);
  let shift = false;
  area.addEventListener('input', () => { grow(); offer(); });
  area.addEventListener('keydown', (e) => {
    shift = e.shiftKey;
    const open = !offers.hidden && offers.list.length;
    if (open && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
      picked = (picked + (e.key === 'ArrowDown' ? 1 : offers.list.length - 1)) % offers.list.length;
      offer();
      e.preventDefault();
    } else if (open && e.key === 'Tab') {
      take(offers.list[picked]);
      e.preventDefault();
    } else if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
      send(e);
    } else if (e.key === 'Escape') {
      if (open) offers.hidden = true;
      else cancel();
    }
  });
  // A line break without Shift is what Enter would add besides sending.
  area.addEventListener('beforeinput', (e) => { if (e.inputType === 'insertLineBreak' && !shift) e.preventDefault(); });
  area.addEventListener('paste', (e) => {
    if (e.clipboardData.files.length) {
      e.preventDefault();
      add(e.clipboardData.files);
    }
  });

  // Files may be dropped anywhere on the pane.
  queueMicrotask(() => {
    const over = (onIt) => pane.node.classList.toggle('dropping', onIt);
    pane.node.addEventListener('dragover', (e) => { e.preventDefault(); over(true); });
    pane.node.addEventListener('dragleave', (e) => { if (!pane.node.contains(e.relatedTarget)) over(false); });
    pane.node.addEventListener('drop', (e) => { e.preventDefault(); over(false); add(e.dataTransfer.files); });
  });

  return {
    node: form,
    cancel,
    focus: () => area.focus(),
    text: () => area.value,
    clear: () => { area.value = ''; grow(); },
    reply(m) {
      cancel();
      replyTo = m;
      tell('↩ ' + pane.nameOf(m) + ': ' + pane.excerpt(m));
      area.focus();
    },
    edit(m) {
      cancel();
      editing = m;
      area.value = m.text || '';
      form.classList.add('editing');
      tell('✎ ' + t('editing'));
      grow();
      area.focus();
    },
    /** In rooms the bot wants to be named; in direct chats and threads that it knows it does not. */
    place(p) {
      if (place && place.kind === p.kind && place.room === p.room && place.thread === p.thread) return;
      place = p;
      mentionLabel.hidden = p.kind === 'direct' || p.kind === 'thread';
      mention.checked = !mentionLabel.hidden;
      if (p.kind === 'thread') { // one that people opened needs the mention still
        mentionLabel.hidden = false;
        mention.checked = false;
      }
    },
  };
}
