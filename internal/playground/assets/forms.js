// What the bot shows to one person alone: windows that ask for a text, and lines that go by themselves.
import { el, toast } from './dom.js';
import { post } from './api.js';
import { items, on } from './live.js';
import { t } from './words.js';

export function forms(pane) {
  const shown = new Map();
  const told = new Set();
  const kind = 'w|' + pane.name + '|';
  on([kind, 'n|' + pane.name + '|'], (keys) => {
    for (const key of keys) {
      const item = items.get(key);
      if (key.startsWith('n|')) {
        if (item && item.user === pane.person.id && !told.has(key)) toast(pane.platform.bot + ': ' + item.text);
        told.add(key);
      } else if (!item) {
        shown.get(key)?.close();
      } else if (!shown.has(key) && item.user === pane.person.id) {
        shown.set(key, ask(pane, item, () => shown.delete(key)));
      }
    }
  });
}

function ask(pane, form, over) {
  const input = el('textarea', { rows: '2', id: 'form-text', required: true });
  input.value = form.value || '';
  let sent = false;
  const send = async (e) => {
    e.preventDefault();
    if (await post('form', { p: pane.name, id: form.id, user: form.user, text: input.value, on: true })) {
      sent = true;
      dialog.close();
    }
  };
  const dialog = el('dialog', { class: 'form', aria: { labelledby: 'form-title' } },
    el('form', { onsubmit: send }, el('h2', { id: 'form-title', text: form.title }), el('label', { for: 'form-text', text: form.label }), input,
      el('div', { class: 'row' }, el('button', { type: 'button', text: t('cancel'), onclick: () => dialog.close() }), el('button', { type: 'submit', class: 'send', text: t('send') }))));
  dialog.addEventListener('close', () => {
    dialog.remove();
    over();
    if (!sent && items.has('w|' + pane.name + '|' + form.id)) post('form', { p: pane.name, id: form.id, user: form.user, on: false });
  });
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
  return dialog;
}
