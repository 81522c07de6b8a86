// A person's stack of modals over their pane, and the question that a button asks first.

import { blocks, text } from "./blocks.js";
import { h, idOf } from "./dom.js";
import { keyOf, valueOf } from "./elements.js";
import { parts, perform, refresh, ui } from "./store.js";

/** Return the modals of a pane, the one on top last; `go` opens a channel or message. */
export function modals(pane, go) {
  const stack = parts[`screen:${pane.person}`]?.modals ?? [];
  return stack.map((view, index) => modal(pane, view, index === stack.length - 1, go));
}

function modal(pane, view, top, go) {
  const key = `${pane.id}|${view.id}`;
  const surface = { pane, key, as: pane.person, at: {}, values: view.values, errors: view.errors, go };
  const busy = ui.busy.has(key) || view.waiting;
  const title = idOf(key, "title");
  const close = (everything) => perform(pane.person, key, "close", { everything });
  const submit = () => {
    if (busy || view.submit_disabled || missing(surface, view)) return refresh();
    return perform(pane.person, key, "submit");
  };
  const keys = (event) => {
    if (event.key === "Escape") close(false);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && view.submit) submit();
    else return trap(event);
    return event.preventDefault();
  };
  const send = { type: "button", class: "button primary", onclick: submit, "aria-busy": busy ? "true" : null };
  return h(
    "div",
    { class: top ? "veil" : "veil under", key: view.id, inert: !top },
    h(
      "div",
      { class: "modal", role: "dialog", "aria-modal": "true", "aria-labelledby": title, tabindex: "-1", onkeydown: keys },
      h(
        "header",
        {},
        h("h2", { id: title }, view.title),
        h("button", { type: "button", class: "cross", "aria-label": "Close", onclick: () => close(true) }, "×"),
      ),
      ui.problems.has(key) && h("p", { class: "banner", role: "alert" }, `⚠️ ${ui.problems.get(key)}`),
      h("div", { class: "body" }, blocks(view.blocks, surface)),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "button", onclick: () => close(false) }, view.close ?? "Cancel"),
        view.submit && h("button", { ...send, "aria-disabled": view.submit_disabled ? "true" : null }, view.submit),
      ),
    ),
  );
}

/** Tell whether a required field is empty, and say so at each; Slack does not send such a form either. */
function missing(surface, view) {
  const empty = view.blocks.filter((block) => {
    if (block.type !== "input" || block.optional) return false;
    const value = valueOf(surface, block, block.element);
    return value === null || value === undefined || value === "" || value.length === 0;
  });
  for (const block of empty) ui.problems.set(keyOf(surface, block, block.element), "Please complete this required field.");
  return empty.length > 0;
}

/** Keep Tab inside a dialog. */
function trap(event) {
  if (event.key !== "Tab") return;
  const all = event.currentTarget.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']");
  const inside = [...all].filter((node) => node.offsetParent && !node.disabled);
  const [first, last] = [inside[0], inside.at(-1)];
  const at = document.activeElement;
  if (!first || (event.shiftKey ? at !== first && at !== event.currentTarget : at !== last)) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
}

/** Return the open question of a pane. */
export function question(pane) {
  if (ui.confirm?.pane.id !== pane.id) return null;
  const { question: asked, yes, opener } = ui.confirm;
  const answer = (agreed) => {
    ui.confirm = null;
    opener?.focus();
    if (agreed) yes();
    refresh();
  };
  const keys = (event) => {
    if (event.key !== "Escape") return trap(event);
    event.preventDefault();
    return answer(false);
  };
  const [title, words] = [idOf(pane.id, "question"), idOf(pane.id, "words")];
  const style = asked.style === "danger" ? "danger" : "primary";
  const ids = { "aria-labelledby": title, "aria-describedby": words };
  return h(
    "div",
    { class: "veil", key: "question" },
    h(
      "div",
      { class: "modal question", role: "alertdialog", "aria-modal": "true", ...ids, tabindex: "-1", onkeydown: keys },
      h("header", {}, h("h2", { id: title }, text(asked.title))),
      h("div", { class: "body", id: words }, text(asked.text)),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "button", onclick: () => answer(false) }, text(asked.deny)),
        h("button", { type: "button", class: `button ${style}`, onclick: () => answer(true) }, text(asked.confirm)),
      ),
    ),
  );
}
