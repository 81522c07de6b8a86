// Block Kit's interactive elements as nodes. The keys of ELEMENTS are all that can be drawn: a test compares them with
// what the bot uses.

import { picture, text, unknown } from "./blocks.js";
import { h, unseen } from "./dom.js";
import { options } from "./menu.js";
import { enter, perform, refresh, ui } from "./store.js";

/** Element type -> the key of its value in the state, and of its first value in the element. */
const STATE = {
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  radio_buttons: ["selected_option", "initial_option"],
  checkboxes: ["selected_options", "initial_options"],
  file_input: ["files", ""],
};
const MENUS = { users: "user", channels: "channel", conversations: "conversation", static: "option", external: "option" };
for (const [sort, word] of Object.entries(MENUS)) {
  STATE[`${sort}_select`] = [`selected_${word}`, `initial_${word}`];
  STATE[`multi_${sort}_select`] = [`selected_${word}s`, `initial_${word}s`];
}

export const ELEMENTS = {
  button,
  overflow,
  image: (_surface, _block, each) => picture(each.image_url, each.alt_text),
  plain_text_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  number_input: typed,
  datepicker: (...place) => moment("date", ...place),
  timepicker: (...place) => moment("time", ...place),
  datetimepicker: (...place) => moment("datetime-local", ...place),
  radio_buttons: ticks,
  checkboxes: ticks,
  static_select: options,
  external_select: options,
  users_select: options,
  channels_select: options,
  conversations_select: options,
  multi_static_select: options,
  multi_external_select: options,
  multi_users_select: options,
  multi_channels_select: options,
  multi_conversations_select: options,
  file_input: files,
};

/** Return an element. `field` names what belongs to it: `{id, label, described, wrong, required}`, or is empty. */
export function element(surface, block, each, field) {
  if (!Object.hasOwn(ELEMENTS, each.type)) return unknown(each);
  const node = ELEMENTS[each.type](surface, block, each, field);
  node.key = `${block.block_id}/${each.action_id}/${each.value ?? ""}`;
  return node;
}

export const keyOf = (surface, block, each) => [surface.key, block.block_id, each.action_id].join("|");

/** Return what an element holds: what was just entered here, or what the server told. */
export function valueOf(surface, block, each) {
  const entered = ui.entered.get(keyOf(surface, block, each));
  if (entered) return entered.value;
  const [key, first] = STATE[each.type] ?? ["value", "initial_value"];
  const state = surface.values?.[block.block_id]?.[each.action_id];
  return state ? state[key] : each[first];
}

const placed = (block, each, more) => ({ block_id: block.block_id, action_id: each.action_id, ...more });

/** Ask what an element wants to be asked first, then do it. */
export function asked(surface, each, event, yes) {
  if (!each.confirm) return yes();
  ui.confirm = { pane: surface.pane, question: each.confirm, yes, opener: event.currentTarget };
  return refresh();
}

function button(surface, block, each) {
  const key = `${keyOf(surface, block, each)}|${each.value ?? ""}`;
  const press = () => perform(surface.as, key, "click", { ...surface.at, ...placed(block, each, { value: each.value }) });
  const pressed = (event) => (ui.busy.has(key) ? undefined : asked(surface, each, event, press));
  const props = {
    type: "button",
    class: `button ${each.style ?? ""}`,
    "aria-label": each.accessibility_label,
    "aria-busy": ui.busy.has(key) ? "true" : null,
    onclick: pressed,
  };
  return h("span", {}, h("button", props, text(each.text)), problem(key));
}

/** Return what went wrong at a button or menu, said at once to who listens. */
export const problem = (key) => ui.problems.has(key) && h("span", { class: "error", role: "alert" }, ui.problems.get(key));

function overflow(surface, block, each) {
  const key = keyOf(surface, block, each);
  const choose = (option) => (event) => {
    ui.open.delete(key);
    const fields = { ...surface.at, ...placed(block, each, { value: option.value }) };
    asked(surface, each, event, () => perform(surface.as, key, "click", fields));
    refresh();
  };
  return dropdown(key, "More options", "⋯", each.options.map((option) => [text(option.text), choose(option)]));
}

/** Return a button that opens a list of buttons. */
export function dropdown(key, label, sign, entries) {
  const open = ui.open.has(key);
  const toggle = () => (open ? ui.open.delete(key) : ui.open.add(key), refresh());
  const keys = (event) => {
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && open) buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
    else if (event.key === "Escape" && open) {
      buttons[0].focus();
      toggle();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const left = (event) => {
    if (open && event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) toggle();
  };
  const items = entries.map(([words, chosen]) => h("li", {}, h("button", { type: "button", onclick: chosen }, words)));
  const props = { type: "button", class: "sign", "aria-label": label, "aria-expanded": String(open), onclick: toggle };
  return h(
    "span",
    { class: "dropdown", onkeydown: keys, onfocusout: left },
    h("button", props, sign),
    open && h("ul", {}, items),
    problem(key),
  );
}

const described = (field) => ({
  id: field.id,
  "aria-labelledby": field.label,
  "aria-describedby": field.described,
  "aria-invalid": field.wrong ? "true" : null,
  "aria-required": field.required ? "true" : null,
});

function typed(surface, block, each, field) {
  const key = keyOf(surface, block, each);
  const value = String(valueOf(surface, block, each) ?? "");
  // What dispatches does so when somebody is done, as in Slack with Enter.
  const type = (event) => enter(surface, key, "type", placed(block, each, { text: event.target.value }), event.target.value);
  const keep = (event) => {
    ui.entered.set(key, { value: event.target.value, settled: false });
    refresh();
  };
  const props = {
    ...described(field),
    "aria-label": field.label ? null : each.placeholder?.text ?? "Text",
    placeholder: each.placeholder?.text,
    maxlength: each.max_length,
    inputmode: each.type === "number_input" ? "decimal" : null,
    autocomplete: "off",
    spellcheck: each.type === "plain_text_input" ? null : "false",
    "data-focus": each.focus_on_load,
    value,
    oninput: block.dispatch_action ? keep : type,
    onchange: block.dispatch_action ? type : null,
  };
  const box = each.multiline ? h("textarea", { ...props, rows: "3" }) : h("input", { ...props, type: "text" });
  const most = each.max_length;
  const left = most && h("span", { class: "count" }, `${value.length.toLocaleString("en")} / ${most.toLocaleString("en")}`);
  return h("div", { class: "typed" }, box, left);
}

/** Return an input of a date, a time or both; the state has both as Unix seconds, the page in local time. */
function moment(sort, surface, block, each, field) {
  const value = valueOf(surface, block, each);
  const local = (unix) => new Date(unix * 1000 - new Date(unix * 1000).getTimezoneOffset() * 60_000).toISOString();
  const shown = sort === "datetime-local" && value ? local(Number(value)).slice(0, 16) : value ?? "";
  const change = (event) => {
    const { value: typed } = event.target;
    const sent = sort === "datetime-local" && typed ? String(Math.floor(new Date(typed).getTime() / 1000)) : typed;
    enter(surface, keyOf(surface, block, each), "type", placed(block, each, { text: sent }), sent);
  };
  return h("input", { ...described(field), "aria-label": field.label ? null : "When", type: sort, value: shown, onchange: change });
}

/** Return checkboxes or radio buttons. */
function ticks(surface, block, each, field) {
  const several = each.type === "checkboxes";
  const key = keyOf(surface, block, each);
  const value = valueOf(surface, block, each);
  const chosen = several ? value ?? [] : [value].filter(Boolean);
  const tick = (option) => (event) => {
    const others = several ? chosen.filter((other) => other.value !== option.value) : [];
    const now = event.target.checked ? [...others, option] : others;
    const wanted = now.map((other) => other.value);
    asked(surface, each, event, () =>
      enter(surface, key, "choose", placed(block, each, { wanted }), several ? now : now[0] ?? null));
  };
  const boxes = each.options.map((option) => {
    const checked = chosen.some((other) => other.value === option.value);
    const props = { type: several ? "checkbox" : "radio", name: key, checked, onchange: tick(option) };
    const more = option.description && h("span", { class: "hint" }, text(option.description, surface));
    return h("label", { class: "tick" }, h("input", props), h("span", {}, text(option.text, surface), more));
  });
  const role = several ? "group" : "radiogroup";
  const { id: _id, ...words } = described(field);
  return h("div", { role, ...words, "aria-invalid": null, "aria-required": null, "aria-label": field.label ? null : "Choices" }, boxes);
}

/** Return a file input with what is in it. */
function files(surface, block, each, field) {
  const key = keyOf(surface, block, each);
  const inside = valueOf(surface, block, each) ?? [];
  const attach = (given) => perform(surface.as, key, "attach", { ...surface.at, ...placed(block, each, { files: given }) });
  const chosen = async (event) => {
    const { target } = event;
    const given = await encoded(target.files);
    target.value = "";
    attach(given);
  };
  const props = {
    ...described(field),
    type: "file",
    accept: each.filetypes?.map((ending) => `.${ending}`).join(",") ?? null,
    multiple: (each.max_files ?? 10) > 1,
    onchange: chosen,
  };
  const names = inside.map((file) =>
    h("li", {}, `${file.name} `, h("button", { type: "button", class: "link", onclick: () => attach([]) }, "Remove", unseen(` ${file.name}`))));
  return h("div", {}, h("input", props), names.length > 0 && h("ul", { class: "files" }, names));
}

/** Return files as the protocol carries them: `[{name, content}]`, the content in base64. */
export function encoded(list) {
  const one = (file) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve({ name: file.name, content: reader.result.slice(reader.result.indexOf(",") + 1) });
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(file);
    });
  return Promise.all([...list].map(one));
}
