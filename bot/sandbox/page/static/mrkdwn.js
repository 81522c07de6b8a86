// Slack's mrkdwn as nodes: only &, < and > are special; markers count only around words.
// Facts: docs.slack.dev/messaging/formatting-message-text.

import { h } from "./dom.js";
import { channelName, groupName, nameOf } from "./store.js";

const EMOJI = {
  arrows_counterclockwise: "🔄", bell: "🔔", black_circle: "⚫", eyes: "👀", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", large_blue_circle: "🔵", large_green_circle: "🟢", large_yellow_circle: "🟡",
  lock: "🔒", no_entry: "⛔", red_circle: "🔴", rocket: "🚀", rotating_light: "🚨", tada: "🎉", thumbsup: "👍",
  warning: "⚠️", white_check_mark: "✅", x: "❌",
};

const SPAN = (mark) => `(?<![\\w${mark}])${mark}(\\S(?:[^\\n]*?\\S)?)${mark}(?![\\w${mark}])`;
const INLINE = new RegExp(
  ["```([\\s\\S]+?)```", "`([^`\\n]+)`", "<([^<>\\n]+)>", SPAN("\\*"), SPAN("_"), SPAN("~"), ":([a-z0-9_+-]+):"].join("|"),
);

const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
export const emoji = (name) => EMOJI[name] ?? `:${name}:`;

/** Return nodes for mrkdwn; `go` opens a channel or message of this workspace. */
export function mrkdwn(text, go) {
  const nodes = [];
  let quoted = [];
  const flush = () => {
    if (quoted.length) nodes.push(h("blockquote", {}, inline(quoted.join("\n"), go)));
    quoted = [];
  };
  // A code block may hold line breaks; what looks like a quotation inside stays what it is.
  for (const piece of String(text).split(/(```[\s\S]+?```)/)) {
    if (piece.startsWith("```")) {
      flush();
      nodes.push(inline(piece, go));
      continue;
    }
    const plain = [];
    for (const line of piece.split("\n")) {
      const quote = /^(?:&gt;|>)\s?(.*)/.exec(line);
      if (quote) {
        if (plain.length) nodes.push(inline(plain.splice(0).join("\n"), go));
        quoted.push(quote[1]);
      } else {
        flush();
        plain.push(line);
      }
    }
    flush();
    if (plain.length) nodes.push(inline(plain.join("\n"), go));
  }
  return nodes;
}

function inline(text, go) {
  const nodes = [];
  let rest = text;
  for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    if (match.index) nodes.push(unescaped(rest.slice(0, match.index)));
    rest = rest.slice(match.index + match[0].length);
    const [, pre, code, angled, bold, italic, strike, name] = match;
    if (pre) nodes.push(h("pre", {}, literal(pre.replace(/^\n/, ""))));
    else if (code) nodes.push(h("code", {}, literal(code)));
    else if (angled) nodes.push(angle(angled, go));
    else if (bold) nodes.push(h("strong", {}, inline(bold, go)));
    else if (italic) nodes.push(h("em", {}, inline(italic, go)));
    else if (strike) nodes.push(h("s", {}, inline(strike, go)));
    else nodes.push(emoji(name));
  }
  if (rest) nodes.push(unescaped(rest));
  return nodes;
}

/** Return code as it reads: names for ids, but no marks. */
const literal = (code) => unescaped(code.replace(/<([^<>\n]+)>/g, (_, inside) => angle(inside).textContent));

function angle(inside, go) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescaped(inside.slice(bar + 1));
  if (target.startsWith("@")) return mention(`@${nameOf(target.slice(1))}`);
  if (target.startsWith("#")) return channelLink(target.slice(1), go);
  if (target.startsWith("!subteam^")) return mention(`@${groupName(target.slice(9)).replace(/^@/, "")}`);
  if (target.startsWith("!date^")) return h("time", {}, dateText(target, label));
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`);
  return link(unescaped(target), label ?? unescaped(target), go);
}

export const mention = (words) => h("span", { class: "mention" }, words);

export function channelLink(id, go) {
  const words = `#${channelName(id)}`;
  return go ? h("button", { type: "button", class: "link mention", onclick: () => go(id) }, words) : mention(words);
}

/** Return a link. A message of this workspace opens in the pane; nothing but the web, mail and telephones is a link. */
export function link(url, label, go) {
  const message = /^https:\/\/[\w-]+\.slack\.com\/archives\/(\w+)\/p(\d+)(\d{6})/.exec(url);
  if (message && go) {
    const [, channel, seconds, micros] = message;
    const open = () => go(channel, `${seconds}.${micros}`);
    return h("button", { type: "button", class: "link", onclick: open }, label);
  }
  if (!/^(https?:|mailto:|tel:)/i.test(url)) return h("span", {}, label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** Return `!date^<unix>^<format>` in the reader's own time zone; a malformed one shows its fallback. */
export function dateText(target, fallback) {
  const [, unix, format] = target.split("^");
  const moment = new Date(Number(unix) * 1000);
  if (!format || Number.isNaN(moment.getTime())) return fallback ?? target;
  const day = (options) => moment.toLocaleDateString("en-US", options);
  const time = (options) => moment.toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit", ...options });
  const long = day({ dateStyle: "full" });
  const plain = day({ dateStyle: "long" });
  const short = day({ dateStyle: "medium" });
  const words = {
    date_num: moment.toLocaleDateString("sv-SE"), date_slash: day({}), date_long: long, date_long_pretty: long,
    date_long_full: long, date: plain, date_pretty: plain, date_short: short, date_short_pretty: short,
    time: time({}), time_secs: time({ second: "2-digit" }), ago: `${short} at ${time({})}`,
  };
  return format.replace(/\{(\w+)\}/g, (all, word) => words[word] ?? all);
}
