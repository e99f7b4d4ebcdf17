// Everything on the page is made here, node by node. Text only ever becomes text nodes and attributes, never markup, so
// nothing that somebody writes can run.

/** Makes an element. Properties that begin with "on" are listeners; "data" and "aria" are objects of attributes. */
export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'data') for (const [k, v] of Object.entries(value)) node.dataset[k] = v;
    else if (name === 'aria') for (const [k, v] of Object.entries(value)) node.setAttribute('aria-' + k, v);
    else if (name === 'class') node.className = value;
    else if (name === 'text') node.textContent = value;
    else if (value === true) node.setAttribute(name, '');
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

/** Replaces what stands in a node. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(3).filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

/** A short notice that goes by itself. */
export function toast(text, bad) {
  const node = el('p', { class: bad ? 'toast bad' : 'toast', text });
  const all = document.getElementById('toasts');
  all.append(node);
  while (all.children.length > 3) all.firstChild.remove();
  setTimeout(() => node.remove(), bad ? 9000 : 4000);
}

/** Tells something to people who hear the page. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });

export const size = (n) => (n < 1000 ? n + ' B' : n < 1e6 ? (n / 1000).toFixed(1) + ' kB' : (n / 1e6).toFixed(1) + ' MB');

export const seconds = (ms) => (ms < 1000 ? Math.round(ms) + ' ms' : (ms / 1000).toFixed(1) + ' s');
