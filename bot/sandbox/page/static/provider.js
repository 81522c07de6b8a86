// The providers' side: numbers with their values, jobs, every API call with its body, and the faults.

import { counted, h, idOf } from "./dom.js";
import { act, parts, refresh, ui } from "./store.js";

const PROVIDERS = { telnyx: "Telnyx", close: "Close" };
const SIGHTS = { numbers: "Numbers", jobs: "Jobs", calls: "API calls" };
const STATUS = { completed: "good", succeeded: "good", failed: "bad", error: "bad" };

/** Provider and number -> its values when the page first saw them: what changed since is marked. */
const before = new Map();

export function providerPane() {
  const side = (ui.side ??= { provider: "telnyx", sight: "numbers" });
  const part = parts[`provider:${side.provider}`] ?? { numbers: [], jobs: [], calls: [] };
  for (const [provider, numbers] of Object.keys(PROVIDERS).map((name) => [name, parts[`provider:${name}`]?.numbers ?? []]))
    for (const { id, values } of numbers) if (!before.has(`${provider} ${id}`)) before.set(`${provider} ${id}`, values);
  const panel = idOf("provider", "panel");
  return h(
    "section",
    { class: "pane provider", id: "provider", key: "provider", "aria-label": "The provider’s side", tabindex: "-1" },
    h("header", {}, h("h2", {}, "The provider’s side")),
    faults(),
    tabs("Provider", PROVIDERS, side.provider, panel, (provider) => Object.assign(side, { provider })),
    tabs("Sight", SIGHTS, side.sight, panel, (sight) => Object.assign(side, { sight }), (sight) => total(part, sight)),
    h(
      "div",
      { class: "sight", id: panel, role: "tabpanel", "aria-label": SIGHTS[side.sight], tabindex: "0", key: `${side.provider} ${side.sight}` },
      { numbers, jobs, calls }[side.sight](part, side.provider),
      part.more?.[side.sight] > 0 && h("p", { class: "nothing" }, `and ${part.more[side.sight].toLocaleString("en")} more`),
    ),
  );
}

const total = (part, sight) => (part[sight]?.length ?? 0) + (part.more?.[sight] ?? 0);

/** Return tabs, of which the arrow keys choose. */
export function tabs(label, names, chosen, panel, choose, count) {
  const keys = Object.keys(names);
  const take = (name) => {
    choose(name);
    refresh();
  };
  const moved = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const index = (keys.indexOf(chosen) + step + keys.length) % keys.length;
    take(keys[index]);
    event.currentTarget.children[index].focus();
  };
  return h(
    "div",
    { class: "tabs", role: "tablist", "aria-label": label, onkeydown: moved },
    keys.map((name) => {
      const selected = name === chosen;
      const props = { type: "button", role: "tab", "aria-selected": String(selected), "aria-controls": panel, tabindex: selected ? null : "-1" };
      return h("button", { ...props, key: name, onclick: () => take(name) }, names[name], count && [" ", h("span", { class: "badge" }, count(name).toLocaleString("en"))]);
    }),
  );
}

function faults() {
  const all = (parts.switches ?? []).filter((each) => each.kind === "switch");
  const on = all.filter((each) => each.on).length;
  const rows = all.map((each) =>
    h("li", { key: each.id }, h("button", {
      type: "button", role: "switch", class: "switch", "aria-checked": String(each.on),
      onclick: () => act(null, "switch", { switch: each.id, on: !each.on }),
    }, h("span", { class: "knob", "aria-hidden": "true" }), each.label)));
  const title = ["Make trouble", on > 0 && h("span", { class: "badge loud" }, `${on} on`)];
  return disclosure("faults", "faults", title, () => h("ul", {}, rows));
}

/** Return something that unfolds and stays as somebody left it. */
function disclosure(key, look, title, body) {
  const open = ui.open.has(key);
  const toggle = (event) => {
    event.preventDefault(); // the page says what is open, whatever is drawn meanwhile
    if (open) ui.open.delete(key);
    else ui.open.add(key);
    refresh();
  };
  return h("details", { key, class: look, open }, h("summary", { onclick: toggle }, title), open && body());
}

/** Return a value as people read it: with the name of what an id stands for. */
function named(value, names) {
  if (Array.isArray(value)) return value.map((each) => named(each, names)).join(", ") || "none";
  if (value === null || value === "") return "none";
  if (typeof value === "object") return JSON.stringify(value);
  return names?.[value] ? `${names[value]} (${value})` : String(value);
}

function numbers(part, provider) {
  const telling = telltale(part.numbers);
  const shown = (value) => named(value, part.names);
  const rows = part.numbers.map(({ id, number, values }) => {
    const first = before.get(`${provider} ${id}`) ?? values;
    const changed = Object.keys(values).filter((path) => shown(values[path]) !== shown(first[path]));
    const key = `number ${provider} ${id}`;
    const news = changed.map((path) => h("span", { class: "news" }, `${path}: `, h("s", {}, shown(first[path])), " → ", h("strong", {}, shown(values[path]))));
    const all = Object.entries(values).map(([path, value]) => [h("dt", {}, path), h("dd", { class: changed.includes(path) ? "changed" : null }, shown(value))]);
    const short = h("span", { class: "hint" }, telling.map((path) => part.names?.[values[path]] ?? shown(values[path])).join(" · "));
    return disclosure(key, changed.length ? "changed" : null, [h("code", {}, number), news.length ? news : short], () => h("dl", {}, all));
  });
  return rows.length ? rows : h("p", { class: "nothing" }, "The account has no numbers.");
}

/** Return the paths of up to two values that tell the numbers apart. */
function telltale(all) {
  const groups = (path) => new Set(all.map(({ values }) => JSON.stringify(values[path]))).size;
  return Object.keys(all[0]?.values ?? {}).filter((path) => groups(path) > 1 && groups(path) <= 6).slice(0, 2);
}

function jobs(part) {
  const rows = part.jobs.toReversed().map((job) =>
    h(
      "div",
      { class: "job", key: job.id },
      h("div", {}, h("strong", {}, job.kind.replaceAll("_", " ")), " ", h("code", { class: "hint" }, job.id)),
      h("span", { class: `pill ${STATUS[job.status] ?? ""}` }, job.status.replaceAll("_", " ")),
      h("progress", { max: String(job.total || 1), value: job.done, "aria-label": `Progress of job ${job.id}` }),
      h("span", { class: "hint" }, `${job.done.toLocaleString("en")} of ${counted(job.total, "number")}`),
    ));
  return rows.length ? rows : h("p", { class: "nothing" }, "No jobs yet. Approve a change, and its jobs appear here.");
}

function calls(part) {
  const rows = part.calls.toReversed().map((call) => {
    const key = `call ${call.at} ${call.method} ${call.path}`;
    const failed = call.status === null || call.status >= 400;
    const clock = new Date(call.at).toLocaleTimeString("en-GB");
    const line = [
      h("time", {}, clock),
      h("strong", { class: `verb ${call.method.toLowerCase()}` }, call.method),
      h("code", {}, call.path),
      h("span", { class: `pill ${failed ? "bad" : "good"}` }, call.status ?? "dropped"),
    ];
    return disclosure(key, "call", line, () => said(call));
  });
  return rows.length ? rows : h("p", { class: "nothing" }, "No calls yet.");
}

function said(call) {
  const parts = [["Query", call.query], ["Body", call.body]].filter(([, value]) => value && Object.keys(value).length);
  const body = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  const nodes = parts.map(([name, value]) => [h("h3", {}, name), h("pre", { tabindex: "0" }, body(value))]);
  return nodes.length ? nodes : h("p", { class: "hint" }, "No query, no body.");
}
