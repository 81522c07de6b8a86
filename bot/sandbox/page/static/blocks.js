// Block Kit's blocks as nodes. The keys of BLOCKS, RICH_TEXT and LEAVES are all that can be drawn: a test compares
// them with what the bot uses. Anything else is shown as it is, with a warning.

import { h, idOf } from "./dom.js";
import { element, keyOf } from "./elements.js";
import { channelLink, dateText, emoji, link, mention, mrkdwn } from "./mrkdwn.js";
import { groupName, nameOf, ui } from "./store.js";

/** Return the nodes of blocks on a surface: `{as, at, key, pane, values, errors, go}`. */
export const blocks = (list, surface) => (list ?? []).map((block) => draw(block, surface));

function draw(block, surface) {
  const node = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type](block, surface) : unknown(block);
  node.key = block.block_id;
  return node;
}

/** Return what cannot be drawn as it is, so that nothing is hidden. */
export function unknown(what) {
  const warning = h("p", {}, `⚠️ The sandbox cannot draw “${what?.type}”. This is what the bot sent:`);
  return h("div", { class: "unknown", role: "note" }, warning, h("pre", {}, JSON.stringify(what, null, 2)));
}

/** Return a text object's nodes. */
export function text(object, surface) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, surface?.go);
  return object.emoji === false ? object.text : object.text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}

export const BLOCKS = {
  section,
  context,
  header: (block, surface) => h("h3", { class: "block-header" }, text(block.text, surface)),
  divider: () => h("hr", {}),
  actions: (block, surface) =>
    h("div", { class: "actions" }, block.elements.map((each) => element(surface, block, each, {}))),
  input,
  rich_text: (block, surface) => h("div", { class: "rich" }, block.elements.map((part) => rich(part, surface))),
  table,
  image: (block) =>
    h("figure", {}, block.title && h("figcaption", {}, text(block.title)), picture(block.image_url, block.alt_text)),
};

function section(block, surface) {
  const fields = block.fields?.map((field) => h("div", {}, text(field, surface)));
  return h(
    "div",
    { class: "section" },
    h(
      "div",
      { class: "words" },
      block.text && h("div", {}, text(block.text, surface)),
      fields && h("div", { class: "fields" }, fields),
    ),
    block.accessory && h("div", { class: "accessory" }, element(surface, block, block.accessory, {})),
  );
}

function context(block, surface) {
  const parts = block.elements.map((each) =>
    each.type === "image" ? picture(each.image_url, each.alt_text) : h("span", {}, text(each, surface)),
  );
  return h("div", { class: "context" }, parts);
}

/** Return an input with its label; what is wrong with it stands below, and is read with it. */
function input(block, surface) {
  const key = keyOf(surface, block, block.element);
  const [id, label, hint, error] = ["", "label", "hint", "error"].map((word) => idOf(key, word));
  const wrong = surface.errors?.[block.block_id] ?? ui.problems.get(key);
  const described = [block.hint && hint, wrong && error].filter(Boolean).join(" ") || null;
  const group = ["checkboxes", "radio_buttons"].includes(block.element.type);
  const words = [text(block.label), block.optional && h("span", { class: "optional" }, " (optional)")];
  return h(
    group ? "fieldset" : "div",
    { class: `field${wrong ? " wrong" : ""}` },
    group ? h("legend", { id: label }, words) : h("label", { for: id, id: label }, words),
    element(surface, block, block.element, { id, label, described, wrong: Boolean(wrong), required: !block.optional }),
    wrong && h("p", { class: "error", id: error }, wrong),
    block.hint && h("p", { class: "hint", id: hint }, text(block.hint)),
  );
}

/** Return a picture that the page may load; of one on another host, what it shows. */
export function picture(url, alt) {
  if (/^(data:image\/|\/(?!\/))/.test(url ?? "")) return h("img", { src: url, alt });
  return h("span", { class: "picture", role: "img", "aria-label": alt, title: url }, `🖼 ${alt}`);
}

function table(block, surface) {
  const cell = (each) => (each.type === "rich_text" ? BLOCKS.rich_text(each, surface) : String(each.text ?? ""));
  const rows = block.rows.map((row, index) =>
    h("tr", {}, row.map((each, column) => {
      const align = block.column_settings?.[column]?.align ?? "left";
      return h(index ? "td" : "th", { class: `align-${align}`, scope: index ? null : "col" }, cell(each));
    })),
  );
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", {}, rows));
}

/** Parts of rich text. */
export const RICH_TEXT = {
  rich_text_section: (part, surface) => h("p", {}, leaves(part, surface)),
  rich_text_quote: (part, surface) => h("blockquote", {}, leaves(part, surface)),
  rich_text_preformatted: (part, surface) => h("pre", {}, leaves(part, surface)),
  rich_text_list: (part, surface) =>
    h(
      part.style === "ordered" ? "ol" : "ul",
      { class: `indent-${Math.min(part.indent ?? 0, 4)}`, start: part.offset ? part.offset + 1 : null },
      part.elements.map((item) => h("li", {}, leaves(item, surface))),
    ),
};

/** What stands in a part of rich text; all of it is literal. */
export const LEAVES = {
  text: (leaf) => leaf.text,
  link: (leaf, surface) => link(leaf.url, leaf.text ?? leaf.url, surface?.go),
  user: (leaf) => mention(`@${nameOf(leaf.user_id)}`),
  usergroup: (leaf) => mention(`@${groupName(leaf.usergroup_id)}`),
  channel: (leaf, surface) => channelLink(leaf.channel_id, surface?.go),
  broadcast: (leaf) => mention(`@${leaf.range}`),
  emoji: (leaf) => emoji(leaf.name),
  date: (leaf) => h("time", {}, dateText(`!date^${leaf.timestamp}^${leaf.format}`, leaf.fallback)),
};

const rich = (part, surface) =>
  Object.hasOwn(RICH_TEXT, part.type) ? RICH_TEXT[part.type](part, surface) : unknown(part);

function leaves(part, surface) {
  return part.elements.map((leaf) => {
    if (!Object.hasOwn(LEAVES, leaf.type)) return unknown(leaf);
    const styled = { bold: "strong", italic: "em", strike: "s", code: "code" };
    const shown = LEAVES[leaf.type](leaf, surface);
    return Object.keys(styled).reduce((node, name) => (leaf.style?.[name] ? h(styled[name], {}, node) : node), shown);
  });
}

