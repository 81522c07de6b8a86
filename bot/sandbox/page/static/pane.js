// One person's Slack: who they are, their channels, a channel with its messages or a thread, the Home tab, a composer.

import { blocks } from "./blocks.js";
import { counted, h, idOf, unseen } from "./dom.js";
import { dropdown, encoded } from "./elements.js";
import { avatar, message } from "./message.js";
import { mrkdwn } from "./mrkdwn.js";
import { modals, question } from "./modal.js";
import { botName, channelOf, nameOf, parts, perform, refresh, ui } from "./store.js";

/** Return a pane; what it shows is in `pane`: `{id, label, person, channel, thread, target}`. */
export function slackPane(pane) {
  const go = (channel, ts) => show(pane, channel, ts);
  const covered = (parts[`screen:${pane.person}`]?.modals ?? []).length > 0 || ui.confirm?.pane.id === pane.id;
  return h(
    "section",
    { class: "pane slack", id: idOf(pane.id), key: pane.id, "aria-label": `${pane.label}: ${nameOf(pane.person)}’s Slack`, tabindex: "-1" },
    h(
      "div",
      { class: "inside", inert: covered },
      heading(pane),
      h("div", { class: "workspace" }, channels(pane), pane.channel === "home" ? home(pane, go) : room(pane, go)),
    ),
    modals(pane, go),
    question(pane),
  );
}

/** Show a channel, and with `ts` a message in it, in its thread if it stands in one. */
function show(pane, channel, ts = null) {
  const found = (parts[`messages:${channel}`] ?? []).find((each) => each.ts === ts);
  Object.assign(pane, { channel, thread: found?.thread_ts ?? null, target: ts });
  refresh();
}

function heading(pane) {
  const people = (parts.people ?? []).filter((person) => person.role !== "bot");
  const id = idOf(pane.id, "person");
  const switched = (event) => {
    const person = event.target.value;
    const first = mine(person).find((channel) => channel.id === pane.channel) ?? mine(person)[0];
    Object.assign(pane, { person, channel: first?.id, thread: null, target: null });
    refresh();
  };
  const offered = (parts.shortcuts ?? []).filter((shortcut) => shortcut.kind === "global");
  const key = `${pane.id}|shortcuts`;
  const run = (shortcut) => () => {
    ui.open.delete(key);
    perform(pane.person, key, "shortcut", { callback_id: shortcut.callback_id });
  };
  const names = people.map((person) => h("option", { value: person.id }, `${person.name} (${person.role})`));
  return h(
    "header",
    {},
    avatar(nameOf(pane.person)),
    h("div", {}, h("label", { for: id }, `${pane.label}, acting as`), h("select", { id, value: pane.person, onchange: switched }, names)),
    offered.length > 0 && dropdown(key, `Shortcuts of ${nameOf(pane.person)}`, "☰", offered.map((one) => [one.name, run(one)])),
  );
}

/** Return the channels in which somebody is, and then their direct message with the bot. */
export const mine = (person) =>
  (parts.channels ?? [])
    .filter((channel) => (channel.im_with ? channel.im_with === person : channel.members.includes(person)))
    .sort((one, other) => Boolean(one.im_with) - Boolean(other.im_with));

const called = (channel) => (channel?.im_with ? botName() : `#${channel?.name ?? ""}`);

function channels(pane) {
  const entry = (id, words, opened) => {
    const current = pane.channel === id;
    const news = current ? 0 : unread(pane, id);
    const props = { type: "button", "aria-current": current ? "page" : null, class: news ? "unread" : null, onclick: opened };
    return h("li", { key: id }, h("button", props, words, news > 0 && [" ", h("span", { class: "badge" }, news, unseen(" new"))]));
  };
  const home = () => {
    show(pane, "home");
    perform(pane.person, `${pane.id}|home`, "open_home");
  };
  return h(
    "nav",
    { "aria-label": `Channels of ${nameOf(pane.person)}` },
    h("ul", {}, mine(pane.person).map((channel) => entry(channel.id, called(channel), () => show(pane, channel.id))), entry("home", "⌂ Home", home)),
  );
}

/** Return everything that somebody sees in a channel, in order: messages, and what only they see. */
export function seen(person, channel) {
  const only = (parts[`screen:${person}`]?.ephemerals ?? []).filter((each) => each.channel === channel);
  const all = [...(parts[`messages:${channel}`] ?? []), ...only.map((each) => ({ ...each, ephemeral: true }))];
  return all.sort((one, other) => Number(one.ts) - Number(other.ts));
}

function unread(pane, channel) {
  const key = `${pane.person}|${channel}`;
  return seen(pane.person, channel).filter((each) => each.user !== pane.person && each.ts > (pane.read[key] ?? "")).length;
}

function room(pane, go) {
  const channel = channelOf(pane.channel);
  if (!channel) return h("div", { class: "room" }, h("p", { class: "nothing" }, `${nameOf(pane.person)} is in no channel.`));
  const all = seen(pane.person, channel.id);
  pane.read[`${pane.person}|${channel.id}`] = all.at(-1)?.ts ?? "";
  const inThread = (each) => [each.ts, each.thread_ts].includes(pane.thread);
  const listed = all.filter(pane.thread ? inThread : (each) => !each.thread_ts || each.broadcast);
  const replies = (each) => all.filter((other) => other.thread_ts === each.ts && other.ts !== each.ts && !other.ephemeral).length;
  const open = (each) => (each.ephemeral || pane.thread ? null : () => enterThread(pane, each.ts));
  const nodes = listed.map((each) =>
    message(pane, channel.id, each, { ephemeral: each.ephemeral, replies: replies(each), open: open(each) }, go));
  const title = pane.thread ? "Thread" : called(channel);
  return h(
    "div",
    { class: "room", key: `${channel.id}/${pane.thread ?? ""}` },
    h(
      "div",
      { class: "title" },
      pane.thread && h("button", { type: "button", class: "link", onclick: () => show(pane, channel.id, pane.thread) }, `← ${called(channel)}`),
      h("h2", {}, title),
      !pane.thread && !channel.im_with && h("span", { class: "hint" }, counted(channel.members.length, "member")),
    ),
    h(
      "ol",
      { class: "messages", "data-stick": `${channel.id}/${pane.thread ?? ""}`, tabindex: "0", "aria-label": `Messages in ${called(channel)}` },
      channel.more > 0 && !pane.thread && h("li", { class: "nothing" }, `${channel.more} older messages are not shown.`),
      nodes,
      !nodes.length && h("li", { class: "nothing" }, "Nothing has been said here yet."),
    ),
    composer(pane, channel),
  );
}

function enterThread(pane, ts) {
  Object.assign(pane, { thread: ts, target: null });
  refresh();
}

function home(pane, go) {
  const view = parts[`screen:${pane.person}`]?.home;
  const key = `${pane.id}|home`;
  const surface = { pane, go, key: `${key}|${view?.id}`, as: pane.person, at: { home: true }, values: view?.values };
  const none = ui.busy.has(key) ? "Loading…" : "The bot has not published a Home tab yet.";
  return h(
    "div",
    { class: "room home", key: "home" },
    h("div", { class: "title" }, h("h2", {}, `Home of ${botName()}`)),
    ui.problems.has(key) && h("p", { class: "banner", role: "alert" }, `⚠️ ${ui.problems.get(key)}`),
    h("div", { class: "body", tabindex: "0", role: "region", "aria-label": "Home tab" }, view ? blocks(view.blocks, surface) : h("p", { class: "nothing" }, none)),
  );
}

/** Return the box to write into. What begins with / is a command; its words are offered while it is typed. */
function composer(pane, channel) {
  const key = `${pane.id}|${pane.person}|${channel.id}|${pane.thread ?? ""}`;
  const draft = (pane.drafts[key] ??= { text: "", files: [], hint: -1, hush: false });
  const hints = draft.hush || pane.thread ? [] : matching(draft.text);
  const list = idOf(pane.id, "hints");
  const update = (changes) => {
    Object.assign(draft, changes);
    refresh();
  };
  const take = (command) => update({ text: `${command.text} `, hint: -1, hush: !command.arguments });
  const send = async () => {
    await draft.reading; // a file that was chosen just before goes along
    const { text, files } = draft;
    if (!text.trim() && !files.length) return;
    const command = text.startsWith("/");
    if (command && pane.thread) return ui.problems.set(key, "Slash commands do not work in threads.") && refresh();
    update({ text: "", files: [], hint: -1, hush: false });
    const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"); // as Slack keeps it
    const fields = command ? { text } : { text: escaped, thread_ts: pane.thread, files };
    const done = await perform(pane.person, key, command ? "command" : "post", { channel: channel.id, ...fields });
    // What was refused is given back, unless something else has been typed meanwhile.
    if (done.error && !draft.text) update({ text, files });
  };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const hint = hints[draft.hint];
    if (step && hints.length) update({ hint: (draft.hint + step + hints.length) % hints.length });
    else if ((event.key === "Tab" && hints.length && !event.shiftKey) || (event.key === "Enter" && hint)) take(hint ?? hints[0]);
    else if (event.key === "Escape" && hints.length) update({ hush: true });
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
    else return;
    event.preventDefault();
  };
  const attach = async ({ target }) => {
    const files = await encoded(target.files).catch(() => null);
    target.value = "";
    if (!files) return ui.problems.set(key, "A file cannot be read.") && refresh();
    update({ files: [...draft.files, ...files] });
  };
  const busy = ui.busy.has(key);
  const drop = (file) => () => update({ files: draft.files.filter((other) => other !== file) });
  const where = pane.thread ? "the thread" : called(channel);
  const box = h("textarea", {
    rows: String(Math.min(draft.text.split("\n").length, 6)),
    "aria-label": `Message ${where} as ${nameOf(pane.person)}`,
    "aria-autocomplete": "list",
    "aria-controls": list,
    "aria-activedescendant": hints[draft.hint] ? idOf(list, draft.hint) : null,
    placeholder: pane.thread ? "Reply…" : `Message ${where}`,
    value: draft.text,
    oninput: (event) => update({ text: event.target.value, hint: -1, hush: false }),
    onkeydown: keys,
  });
  const options = hints.map((command, index) =>
    h("li", {
      role: "option", id: idOf(list, index), key: command.text, "aria-selected": String(index === draft.hint),
      class: index === draft.hint ? "active" : null, onmousedown: (event) => event.preventDefault(), onclick: () => take(command),
    }, h("code", {}, `${command.text} ${command.arguments}`.trim()), h("span", { class: "hint" }, mrkdwn(command.help))));
  return h(
    "div",
    { class: "composer" },
    ui.problems.has(key) && h("p", { class: "banner", role: "alert" }, `⚠️ ${ui.problems.get(key)}`),
    h("ul", { class: "list hints", role: "listbox", id: list, "aria-label": "Commands", hidden: !hints.length }, options),
    draft.files.length > 0 && h("ul", { class: "chips" }, draft.files.map((file) =>
      h("li", {}, file.name, h("button", { type: "button", class: "cross", "aria-label": `Remove ${file.name}`, onclick: drop(file) }, "×")))),
    h(
      "div",
      { class: "line" },
      h("label", { class: "clip" }, unseen("Attach files"), h("span", { "aria-hidden": "true" }, "+"), h("input", { type: "file", multiple: true, class: "unseen", onchange: (event) => (draft.reading = attach(event)) })),
      box,
      h("button", { type: "button", class: "button primary", "aria-busy": busy ? "true" : null, onclick: send }, "Send"),
    ),
  );
}

function matching(text) {
  if (!text.startsWith("/") || text.includes("\n")) return [];
  const typed = text.toLowerCase();
  return (parts.commands ?? []).filter((command) => command.text.startsWith(typed.trimEnd()) && command.text.length >= typed.length).slice(0, 8);
}
