// What the server tells, as a map of small items. Updates are collected and handed on once a frame: however fast they come,
// the page draws at most as often as the screen, and always the newest state.

export const items = new Map();

const listeners = [];
let changed = new Set();
let whole = false; // everything is new
let due = false;

/** Calls f(keys, whole) once a frame with the keys that changed and begin with one of the kinds ("m|slack|" …). */
export function on(kinds, f) {
  listeners.push({ kinds: [].concat(kinds), f });
}

function flush() {
  due = false;
  const keys = changed;
  const all = whole;
  changed = new Set();
  whole = false;
  for (const { kinds, f } of listeners) {
    const mine = [];
    for (const key of keys) if (kinds.some((k) => key.startsWith(k))) mine.push(key);
    if (mine.length || all) f(mine, all);
  }
}

function take(u) {
  if (u.reset) {
    items.clear();
    whole = true;
  }
  for (const [key, value] of Object.entries(u.set || {})) {
    items.set(key, value);
    changed.add(key);
  }
  for (const key of u.gone || []) {
    items.delete(key);
    changed.add(key);
  }
  if (!due) {
    due = true;
    requestAnimationFrame(flush);
  }
}

/** Opens the stream. The browser opens it again by itself after a break, and says where it was. */
export function open(state) {
  const source = new EventSource('/api/events');
  source.onopen = () => state(true);
  source.onerror = () => state(false);
  source.onmessage = (e) => take(JSON.parse(e.data));
}

/** All items of a kind, as [key, value]. */
export function* of(kind) {
  for (const entry of items) if (entry[0].startsWith(kind)) yield entry;
}
