// The page: draws what the server tells into #page, keeps the focus, and says what is new to screen readers.

import { h, idOf, morph } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { mine, seen, slackPane } from "./pane.js";
import { providerPane, tabs } from "./provider.js";
import { nameOf, parts, refresh, start, ui } from "./store.js";
import { guide, strip } from "./strip.js";

const root = document.getElementById("page");
const news = document.getElementById("news");
/** Which messages have been said, or were there before. */
const said = new Set();
/** Pane id -> the dialog that it showed last, with its errors. */
const dialogs = new Map();

function render() {
  if (!parts.people || !parts.channels) return;
  if (!ui.panes.length) open();
  const stuck = [...root.querySelectorAll("[data-stick]")].map((list) => [list, list.dataset.stick, list.scrollHeight - list.scrollTop - list.clientHeight < 40]);
  const titles = Object.fromEntries([...ui.panes.map((pane) => [pane.id, pane.label]), ["provider", "Provider"]]);
  const switcher = tabs("Panes", titles, ui.tab, null, (tab) => Object.assign(ui, { tab }));
  const fresh = h(
    "div",
    {},
    strip(),
    !ui.connected && h("p", { class: "banner", role: "alert", key: "lost" }, "⚠️ The sandbox does not answer. Is it still running? This page connects again by itself."),
    guide(),
    h("nav", { class: "switcher", "aria-label": "Panes", key: "switcher" }, switcher),
    h("main", { key: "main", "data-tab": ui.tab }, ui.panes.map(slackPane), providerPane()),
  );
  fresh.id = root.id;
  morph(root, fresh);
  scroll(new Map(stuck.map(([list, key, end]) => [list, { key, end }])));
  ui.panes.forEach(focusDialog);
  tell();
}

/** Show the engineer beside a manager, each in the first channel that they are in. */
function open() {
  const first = (role) => (parts.people.find((person) => person.role === role) ?? parts.people[0]).id;
  const pane = (id, label, person, channel) => ({ id, label, person, channel, thread: null, target: null, drafts: {}, read: {} });
  const [engineer, manager] = [first("engineer"), first("manager")];
  const asked = mine(manager).find((channel) => /approv/.test(channel.name)) ?? mine(manager)[0];
  ui.panes = [pane("requester", "Requester", engineer, mine(engineer)[0]?.id), pane("manager", "Manager", manager, asked?.id)];
  ui.tab = "requester";
}

/** Stay at the newest message where somebody was there, and at what somebody went to. */
function scroll(before) {
  for (const list of root.querySelectorAll("[data-stick]")) {
    const was = before.get(list);
    const target = list.querySelector(".target");
    if (target && !target.seen) target.scrollIntoView({ block: "center" });
    else if (!was || was.end || was.key !== list.dataset.stick) list.scrollTop = list.scrollHeight;
    if (target) target.seen = true;
  }
}

/** Put the focus into a dialog that has opened, on what is wrong when something is, and back when it has closed. */
function focusDialog(pane) {
  const section = document.getElementById(idOf(pane.id));
  const dialog = [...section.querySelectorAll(".veil:not(.under) > [role$=dialog]")].at(-1);
  const before = dialogs.get(pane.id);
  const wrong = dialog?.querySelector("[aria-invalid=true]");
  const errors = dialog ? [...dialog.querySelectorAll(".field > .error")].map((each) => each.textContent).join() : "";
  const empty = Boolean(dialog) && !dialog.querySelector(FIELDS);
  dialogs.set(pane.id, { dialog, errors, empty, opener: before?.opener });
  if (dialog && dialog !== before?.dialog) {
    if (!before?.dialog) dialogs.get(pane.id).opener = ui.focused;
    if (visible(section) && (ui.acting === pane.id || section.contains(document.activeElement) || document.activeElement === document.body)) entered(dialog);
  } else if (dialog && before.empty && !empty && document.activeElement === dialog) entered(dialog); // it has loaded
  else if (dialog && errors && errors !== before.errors) shown(wrong);
  else if (dialog && document.activeElement === document.body && ui.acting === pane.id) dialog.focus();
  else if (!dialog && before?.dialog && document.activeElement === document.body && ui.acting === pane.id) {
    const opener = before.opener?.isConnected ? before.opener : section.querySelector(".composer textarea");
    (opener ?? section).focus();
  }
}

const FIELDS = "[data-focus], .body input, .body textarea";
const entered = (dialog) => (dialog.querySelector(FIELDS) ?? dialog.querySelector("footer .primary") ?? dialog).focus();
/** Put the focus on a field, with the words below it in sight. */
function shown(field) {
  field?.focus();
  field?.closest(".field").scrollIntoView({ block: "nearest" });
}

const visible = (section) => section.offsetParent !== null;

/** Say each new message that somebody in a pane sees, once. */
function tell() {
  const first = !said.size;
  for (const pane of ui.panes)
    for (const channel of mine(pane.person))
      for (const each of seen(pane.person, channel.id)) {
        const key = `${channel.id} ${each.ts} ${each.ephemeral ? pane.person : ""}`;
        if (said.has(key)) continue;
        said.add(key);
        if (first) continue;
        const who = each.ephemeral ? `Only ${nameOf(pane.person)} sees this: ` : `${nameOf(each.user)}: `;
        const files = (each.files ?? []).map((file) => ` ${file.name}`);
        const words = h("p", {}, who, mrkdwn(each.text ?? ""), files).textContent;
        news.append(h("p", {}, words)); // without links, which nobody could see
      }
  while (news.childElementCount > 20) news.firstChild.remove();
}

document.addEventListener("focusin", (event) => {
  const pane = event.target.closest(".pane.slack");
  ui.acting = pane?.id ?? "";
  if (pane && !event.target.closest("[role$=dialog]")) ui.focused = event.target;
});

// F6 goes from pane to pane, out of an open modal too.
document.addEventListener("keydown", (event) => {
  if (event.key !== "F6") return;
  event.preventDefault();
  const panes = [...root.querySelectorAll(".pane")];
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes.at((at + (event.shiftKey ? -1 : 1)) % panes.length);
  ui.tab = next.id;
  refresh();
  requestAnimationFrame(() => (next.querySelector(".veil:not(.under) > [role$=dialog]") ?? next).focus());
});

start(render);
