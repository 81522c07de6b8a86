// What stands on top: what became of the numbers, the bot with its switch, and the three steps of the first minute.

import { counted, h } from "./dom.js";
import { act, parts, refresh, ui } from "./store.js";

const COUNTS = {
  changed: ["changed", "Numbers whose values are not what they were at the beginning"],
  approved: ["approved", "Numbers whose change somebody approved"],
  doubled: ["doubled", "Numbers that a provider was told to change twice for one change"],
  lost: ["lost", "Numbers that were approved, and of which nothing more is going to be heard"],
};

export function strip() {
  const counts = Object.entries(COUNTS).map(([name, [word, meaning]]) => {
    const value = parts.counts?.[name] ?? 0;
    const bad = value > 0 && ["doubled", "lost"].includes(name);
    return h("li", { class: bad ? "bad" : null, title: meaning }, h("strong", {}, value.toLocaleString("en")), ` ${word}`);
  });
  return h(
    "header",
    { class: "strip", key: "strip" },
    h("h1", {}, "☎ Linesman ", h("span", {}, "sandbox")),
    h("ul", { class: "counts", "aria-label": "From the providers’ own records" }, counts),
    bot(),
  );
}

function bot() {
  const { running, connected, starts } = parts.bot ?? {};
  const word = !ui.connected ? "Connection to the sandbox lost" : !running ? "Bot is down" : connected === false ? "Bot is starting" : "Bot is running";
  const state = running && connected !== false && ui.connected ? "good" : "bad";
  const buttons = (parts.switches ?? []).filter((each) => each.kind === "button");
  return h(
    "div",
    { class: "bot" },
    h("span", { class: `pill ${state}`, role: "status" }, word, starts > 1 && `, start ${starts}`),
    buttons.map((each) => h("button", { type: "button", class: "button danger", onclick: () => act(null, "switch", { switch: each.id, on: true }) }, each.label)),
  );
}

export function guide() {
  const steps = parts.guide ?? [];
  const done = steps.filter((step) => step.done).length;
  if (ui.hush || !steps.length) return null;
  const items = steps.map((step, index) => {
    const next = !step.done && index === done;
    return h(
      "li",
      { class: step.done ? "done" : next ? "next" : null, "aria-current": next ? "step" : null },
      h("span", { class: "mark", role: "img", "aria-label": step.done ? "Done" : "To do" }, step.done ? "✓" : index + 1),
      h("span", {}, step.text),
      step.copy && !step.done && h("button", { type: "button", class: "button small", onclick: () => copied(step.copy) }, ui.copied === step.copy ? "Copied" : "Copy"),
    );
  });
  const over = done === steps.length;
  return h(
    "section",
    { class: "guide", key: "guide", "aria-label": "Your first minute" },
    h("ol", { "aria-label": `${counted(done, "step")} of ${steps.length} done` }, items),
    h("button", { type: "button", class: over ? "button small" : "cross", "aria-label": "Close the guide", onclick: close }, over ? "Done, close" : "×"),
  );
}

function close() {
  ui.hush = true;
  refresh();
}

async function copied(text) {
  await navigator.clipboard.writeText(text);
  ui.copied = text;
  refresh();
}
