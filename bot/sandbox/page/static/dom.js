// Making nodes, and bringing a tree up to date in place: focus, caret, scroll and what is being typed stay.
// Text only ever becomes text nodes and attributes; nothing here parses HTML.

/** Return an element. `on…` are handlers, `key` tells it from its siblings, `value` and `checked` are what it holds. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  node.handlers = {};
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.handlers[name] = node[name] = value;
    else if (name === "key") node.key = value;
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  if (tag === "select" && props.value) node.value = props.value; // only now it has options
  return node;
}

/** Make `old` what `fresh` is, keeping every node that is still there. */
export function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of Object.keys(old.handlers ?? {})) old[name] = null;
  Object.assign(old, fresh.handlers);
  old.handlers = fresh.handlers;
  children(old, fresh);
  if (["INPUT", "TEXTAREA", "SELECT"].includes(old.tagName) && old.type !== "file") {
    if (old.value !== fresh.value) old.value = fresh.value;
    if (old.checked !== fresh.checked) old.checked = fresh.checked;
  }
}

function children(old, fresh) {
  const before = new Map([...old.childNodes].filter((node) => node.key).map((node) => [node.key, node]));
  const kept = new Set([...fresh.childNodes].map((node) => node.key).filter(Boolean));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    // What is gone is taken out first: moving a node would take the focus from it.
    while (at?.key && !kept.has(at.key)) at = removed(at);
    const match = next.key ? before.get(next.key) : at?.key ? null : at;
    if (match?.nodeName !== next.nodeName) {
      old.insertBefore(next, at);
      continue;
    }
    while (next.key && at !== match && at && !at.key) at = removed(at);
    if (at === match) at = at.nextSibling;
    else old.insertBefore(match, at);
    morph(match, next);
  }
  while (at) at = removed(at);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** Return an id for the document, made of words that may hold anything. */
export const idOf = (...words) => words.join("-").replace(/[^\w-]/g, (char) => `_${char.codePointAt(0).toString(36)}`);

/** Return what only screen readers read. */
export const unseen = (...words) => h("span", { class: "unseen" }, words);

/** Return a number as people write it, and a word for it in the right form. */
export const counted = (count, word, many = `${word}s`) => `${count.toLocaleString("en")} ${count === 1 ? word : many}`;
