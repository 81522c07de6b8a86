// The one menu for everything that is chosen from a list: options of the element, of the app, people and channels.
// It is a combobox as the ARIA practices describe it; typing narrows it, or asks the app.

import { text } from "./blocks.js";
import { h, idOf } from "./dom.js";
import { asked, keyOf, problem, valueOf } from "./elements.js";
import { act, channelName, enter, nameOf, parts, refresh, ui } from "./store.js";

const PAUSE = 200;
let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (pressed = false), true);

/** Return an element that chooses; `field` is as in `element`. */
export function options(surface, block, each, field) {
  const key = keyOf(surface, block, each);
  const several = each.type.startsWith("multi_");
  const external = each.type.endsWith("external_select");
  const value = valueOf(surface, block, each);
  const chosen = (several ? value ?? [] : [value].filter(Boolean)).map(asOption);
  const open = ui.menu?.key === key ? ui.menu : null;
  const offered = open ? shown(open, each, external) : [];
  const list = idOf(key, "list");

  const ask = (query) => {
    if (ui.menu?.key !== key) return null; // it was closed while the typing settled
    const least = each.min_query_length ?? 3;
    if (query.length < least) return Object.assign(ui.menu, { options: [], note: `Type at least ${least} letters` });
    const fields = { ...surface.at, block_id: block.block_id, action_id: each.action_id, text: query };
    Object.assign(ui.menu, { note: "Searching…" });
    return act(surface.as, "suggest", fields).then((done) => {
      if (ui.menu?.key !== key || ui.menu.query !== query) return;
      Object.assign(ui.menu, { options: done.options ?? [], active: 0, note: done.error ?? "No results" });
      refresh();
    });
  };
  const unfold = () => {
    if (ui.menu?.key === key) return;
    ui.menu = { key, query: "", active: -1, options: [], note: "No results" };
    if (external) ask("");
    refresh();
  };
  const fold = () => {
    if (ui.menu?.key === key) ui.menu = null;
    refresh();
  };
  // A list that closes while the button is down would take what is below away from under the pointer, and the click with it.
  const leave = () => {
    if (!pressed) return fold();
    const released = new AbortController();
    const once = () => (released.abort(), setTimeout(fold));
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, once, { signal: released.signal });
  };
  const choose = (now) => {
    const wanted = now.map((option) => option.value);
    const fields = { block_id: block.block_id, action_id: each.action_id, wanted };
    const held = now.map((option) => option.held);
    enter(surface, key, "choose", fields, several ? held : held[0] ?? null);
  };
  const pick = (option, event) => {
    const others = chosen.filter((other) => other.value !== option.value);
    const now = several && others.length < chosen.length ? others : [...(several ? others : []), option];
    if (several && ui.menu) ui.menu.query = external ? ui.menu.query : "";
    else fold();
    asked(surface, each, event, () => choose(now));
  };
  const typed = (event) => {
    unfold();
    // Until the app has answered, what it offered for other words is not to be chosen by Enter.
    Object.assign(ui.menu, { query: event.target.value, active: external ? -1 : 0 });
    clearTimeout(ui.menu.timer);
    if (external) ui.menu.timer = setTimeout(ask, PAUSE, event.target.value);
    refresh();
  };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !open) unfold();
    else if (step) open.active = (open.active + step + offered.length) % Math.max(offered.length, 1);
    else if (event.key === "Enter" && open && offered[open.active]) pick(offered[open.active], event);
    else if (event.key === "Escape" && open) fold();
    else if (event.key === "Backspace" && several && !open?.query && chosen.length) choose(chosen.slice(0, -1));
    else return;
    event.preventDefault();
    event.stopPropagation();
    refresh();
  };

  const placeholder = text(each.placeholder) || "Choose";
  const only = !several && chosen[0]?.label;
  const box = h("input", {
    id: field.id ?? idOf(key, "box"),
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": String(Boolean(open)),
    "aria-controls": list,
    "aria-autocomplete": "list",
    "aria-activedescendant": open && offered[open.active] ? idOf(list, open.active) : null,
    "aria-labelledby": field.label,
    "aria-label": field.label ? null : placeholder,
    "aria-describedby": field.described,
    "aria-invalid": field.wrong ? "true" : null,
    "aria-required": field.required ? "true" : null,
    "data-focus": each.focus_on_load,
    placeholder: only || (chosen.length ? "" : placeholder),
    class: only ? "chosen" : null,
    value: open ? open.query : only || "",
    onclick: unfold,
    oninput: typed,
    onkeydown: keys,
    onblur: leave,
  });
  const chips = several ? chosen : [];
  const takeAway = (option) => () => choose(chosen.filter((other) => other.value !== option.value));
  return h(
    "div",
    { class: "menu" },
    chips.length > 0 && h("ul", { class: "chips", "aria-label": "Chosen" }, chips.map((option) =>
      h("li", { key: option.value }, option.label, cross(`Remove ${option.label}`, takeAway(option))))),
    h("div", { class: "box" }, box, only && !field.required && block.type === "input" && cross("Clear", () => choose([]))),
    h("ul", { class: "list", id: list, role: "listbox", hidden: !open, "aria-label": placeholder,
      "aria-multiselectable": several ? "true" : null }, open && entries(offered, open, chosen, list, pick)),
    problem(key),
  );
}

const cross = (label, pressed) => h("button", { type: "button", class: "cross", "aria-label": label, onclick: pressed }, "×");

/** Return an option of Block Kit, or the id of a person or channel, as `{value, label, held}`. */
function asOption(held) {
  if (typeof held === "object") return { value: held.value, label: String(text(held.text)), held, more: held.description };
  const person = parts.people?.some((each) => each.id === held);
  return { value: held, label: person ? nameOf(held) : `#${channelName(held)}`, held };
}

/** Return what is offered now, each with the group that it stands in. */
function shown(open, each, external) {
  const sort = each.type.replace("multi_", "");
  const query = open.query.toLowerCase();
  let found;
  if (sort === "users_select") found = (parts.people ?? []).map((person) => asOption(person.id));
  else if (sort === "channels_select" || sort === "conversations_select")
    found = (parts.channels ?? []).filter((channel) => !channel.im_with).map((channel) => asOption(channel.id));
  else if (external) return open.options.flatMap((given) => (given.options ? grouped(given) : [asOption(given)]));
  else found = [...(each.options ?? []).map(asOption), ...(each.option_groups ?? []).flatMap(grouped)];
  return found.filter((option) => option.label.toLowerCase().includes(query));
}

const grouped = (group) => group.options.map((option) => ({ ...asOption(option), group: String(text(group.label)) }));

function entries(offered, open, chosen, list, pick) {
  if (!offered.length) return h("li", { role: "option", "aria-disabled": "true", class: "note" }, open.note);
  const nodes = [];
  let group;
  offered.forEach((option, index) => {
    if (option.group !== group && option.group) {
      group = option.group;
      nodes.push(h("li", { role: "group", key: `group ${group}`, "aria-label": group }, h("span", { class: "group" }, group), h("ul", { role: "presentation" })));
    }
    const entry = h("li", {
      key: `option ${option.value}`,
      role: "option",
      id: idOf(list, index),
      "aria-selected": String(chosen.some((other) => other.value === option.value)),
      class: index === open.active ? "active" : null,
      // The box keeps the focus.
      onmousedown: (event) => event.preventDefault(),
      onclick: (event) => pick(option, event),
    }, option.label, option.more && h("span", { class: "hint" }, text(option.more)));
    if (option.group) nodes.at(-1).lastChild.append(entry);
    else nodes.push(entry);
  });
  return nodes;
}
