// A message as a person sees it: who, when, blocks, files, reactions, and the way into its thread.

import { blocks } from "./blocks.js";
import { counted, h, unseen } from "./dom.js";
import { dropdown } from "./elements.js";
import { emoji, mrkdwn } from "./mrkdwn.js";
import { botName, nameOf, parts, perform, refresh, roleOf, ui } from "./store.js";

const ROWS = 12;

/** What the files hold that somebody looked at: file id -> rows of cells, or null while they are being read. */
const sheets = new Map();

/** Return one message; `told` is what depends on where it is shown: `{ephemeral, replies, open}`. */
export function message(pane, channel, each, told, go) {
  const bot = told.ephemeral || roleOf(each.user) === "bot";
  const author = told.ephemeral ? botName() : nameOf(each.user);
  const surface = {
    pane, go, key: `${pane.id}|${channel}|${each.ts}`, as: pane.person, at: { channel, ts: each.ts },
    values: parts[`screen:${pane.person}`]?.message_values?.[each.ts],
  };
  const moment = new Date(Number(each.ts) * 1000);
  const clock = moment.toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" });
  const blocked = each.blocks?.length > 0;
  return h(
    "li",
    { class: `message${told.ephemeral ? " ephemeral" : ""}${pane.target === each.ts ? " target" : ""}`, key: `m${each.ts}` },
    avatar(author, bot),
    h(
      "article",
      { "aria-label": `${author}, ${clock}` },
      h(
        "div",
        { class: "who" },
        h("strong", {}, author),
        bot && h("span", { class: "app" }, "APP"),
        h("time", { datetime: moment.toISOString(), title: moment.toLocaleString() }, clock),
        told.open && h("button", { type: "button", class: "sign", "aria-label": "Reply in thread", title: "Reply in thread", onclick: told.open }, "↩"),
        !told.ephemeral && shortcuts(pane, channel, each),
      ),
      told.ephemeral && h("p", { class: "only" }, "Only visible to you"),
      each.broadcast && h("p", { class: "only" }, "replied to a thread"),
      !blocked && each.text && h("div", { class: "words" }, mrkdwn(each.text, go)),
      blocked && blocks(each.blocks, surface),
      blocked && each.files?.length > 0 && each.text && h("div", { class: "words" }, mrkdwn(each.text, go)),
      (each.attachments ?? []).map((attached) => h("div", { class: "attached" }, blocks(attached.blocks, surface))),
      each.edited && h("span", { class: "edited" }, "(edited)"),
      (each.files ?? []).map((file) => fileCard(pane, file)),
      reactions(each),
      told.open && told.replies > 0 &&
        h("button", { type: "button", class: "link replies", onclick: told.open }, counted(told.replies, "reply", "replies")),
    ),
  );
}

/** Return a circle with a letter. */
export function avatar(name, bot = false) {
  const hue = bot ? "bot" : `hue-${[...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5}`;
  return h("span", { class: `avatar ${hue}`, "aria-hidden": "true" }, bot ? "☎" : name.slice(0, 1));
}

function shortcuts(pane, channel, each) {
  const offered = (parts.shortcuts ?? []).filter((shortcut) => shortcut.kind === "message");
  const key = `${pane.id}|${channel}|${each.ts}|more`;
  const run = (shortcut) => () => {
    ui.open.delete(key);
    perform(pane.person, key, "shortcut", { callback_id: shortcut.callback_id, channel, ts: each.ts });
  };
  return offered.length > 0 && dropdown(key, "More actions", "⋯", offered.map((one) => [one.name, run(one)]));
}

const reactions = (each) =>
  Object.entries(each.reactions ?? {}).map(([name, people]) =>
    h("span", { class: "reaction", title: people.map(nameOf).join(", ") }, `${emoji(name)} ${people.length}`));

/** Return a file with its size, a way to take it home, and the first rows of a CSV sheet. */
function fileCard(pane, file) {
  const key = `${pane.id}|file|${file.id}`;
  const address = `/files/${encodeURIComponent(file.id)}`;
  const readable = /\.(csv|txt|jsonl?)$/i.test(file.name);
  const look = () => {
    if (ui.open.has(key)) ui.open.delete(key);
    else ui.open.add(key);
    if (!sheets.has(file.id)) read(file.id, address);
    refresh();
  };
  const open = ui.open.has(key);
  const lookAt = { type: "button", class: "link", "aria-expanded": String(open), onclick: look };
  return h(
    "div",
    { class: "file", key: `f${file.id}` },
    h("span", { class: "sheet", "aria-hidden": "true" }, file.name.split(".").pop().toUpperCase().slice(0, 4)),
    h("span", { class: "name" }, h("strong", {}, file.name), h("span", { class: "hint" }, size(file.size))),
    readable && h("button", lookAt, open ? "Hide" : "Preview", unseen(` ${file.name}`)),
    h("a", { href: address, download: file.name }, "Download", unseen(` ${file.name}`)),
    open && preview(file, sheets.get(file.id)),
  );
}

const size = (bytes) => (bytes < 1000 ? counted(bytes, "byte") : `${(bytes / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} kB`);

async function read(id, address) {
  sheets.set(id, null);
  try {
    const answer = await fetch(address);
    sheets.set(id, answer.ok ? rowsOf(await answer.text()) : [[`The file cannot be read (${answer.status}).`]]);
  } catch (error) {
    sheets.set(id, [[`The file cannot be read: ${error.message}`]]);
  }
  refresh();
}

/** Return the cells of CSV: commas between, quotation marks around what holds a comma, mark or line break. */
export function rowsOf(csv) {
  const rows = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}

function preview(file, rows) {
  if (!rows) return h("p", { class: "hint", role: "status" }, "Reading…");
  const [head, ...body] = rows;
  const left = body.length - ROWS;
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": `Preview of ${file.name}` },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head?.map((cell) => h("th", { scope: "col" }, cell)))),
      h("tbody", {}, body.slice(0, ROWS).map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))),
    ),
    left > 0 && h("p", { class: "hint" }, `and ${counted(left, "more row")}`),
  );
}
