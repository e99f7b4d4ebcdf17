// Requests to the page's server. The token, which only this page knows, shows that they come from it.
import { toast } from './dom.js';

const token = document.querySelector('meta[name=token]').content;

/** Does something. Resolves to what the server says; undefined when it was refused, which has been shown then. */
export async function post(name, act, files) {
  const headers = { 'X-Playground-Token': token };
  let body;
  if (files && files.length) {
    body = new FormData();
    body.append('act', JSON.stringify(act));
    for (const f of files) body.append('file', f, f.name);
  } else {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(act);
  }
  try {
    const res = await fetch('/api/' + name, { method: 'POST', headers, body });
    const type = res.headers.get('Content-Type') || '';
    const out = type.startsWith('application/json') ? await res.json() : { error: await res.text() };
    if (res.ok) return out;
    toast(out.error || res.statusText, true);
  } catch (err) {
    toast(String(err.message || err), true);
  }
  return undefined;
}

export async function get(path) {
  const res = await fetch(path);
  if (!res.ok) throw new Error(path + ': ' + res.status);
  return res.json();
}

/** The address of a file of a message. */
export function fileURL(m, n, save) {
  const q = new URLSearchParams({ p: m.p, room: m.room, thread: m.thread, id: m.id, n });
  if (save) q.set('save', '1');
  return '/file?' + q;
}
