// What the server has told, what is open on this page only, and the one WebSocket between them.

/** Name of a part -> its value, as the server told it last. */
export const parts = {};

/** What is so on this page only: which channel a pane shows, what is half typed, which menu is open. */
export const ui = {
  connected: false,
  panes: [],
  /** The pane or `provider` that a narrow page shows. */
  tab: "",
  /** Keys of disclosures that are open. */
  open: new Set(),
  /** Key of a field or composer -> `{value, settled, fields}`: what somebody entered and the server has not told yet. */
  entered: new Map(),
  /** Keys of what waits for an answer. */
  busy: new Set(),
  /** Key -> what went wrong there. */
  problems: new Map(),
  /** The one open menu of options: `{key, query, active, options}`. */
  menu: null,
  /** The one question: `{pane, question, yes, opener}`. */
  confirm: null,
};

/** Characters of an act; the server closes a page that sends more than 16 MiB. */
const LARGEST = 16_000_000;
const waiting = new Map();
/** Key of a field -> the promise that what it holds has been sent. */
const entering = new Map();
let socket = null;
let acts = 0;
let draw = () => {};
let drawn = true;

/** Draw the page anew, once, after everything that happens now. */
export function refresh() {
  if (!drawn) return;
  drawn = false;
  requestAnimationFrame(catchUp);
}

/** Draw what is still to be drawn. */
function catchUp() {
  if (drawn) return;
  drawn = true;
  draw();
}

/** Connect, and call `render` whenever something is to be drawn. */
export function start(render) {
  draw = render;
  // Who types faster than the page is drawn presses Enter on what they have typed, not on what it looked like before.
  addEventListener("keydown", catchUp, true);
  connect(250);
}

function connect(pause) {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "state") told(message.parts);
    else if (message.type === "done") waiting.get(message.id)?.(message);
    waiting.delete(message.id);
    pause = 250;
    refresh();
  };
  socket.onclose = () => {
    ui.connected = false;
    for (const answer of waiting.values()) answer({ error: "The sandbox is not running any more." });
    waiting.clear();
    setTimeout(connect, pause, Math.min(pause * 2, 4000));
    refresh();
  };
}

function told(news) {
  ui.connected = true;
  Object.assign(parts, news);
  const screens = Object.keys(news).some((name) => name.startsWith("screen:"));
  for (const [key, { settled }] of ui.entered) if (settled && screens) ui.entered.delete(key);
}

/** Do something as a person; resolves to the server's answer, whose `error` is null or a sentence. */
export function act(as, what, fields) {
  if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve({ error: "The sandbox is not running." });
  acts += 1;
  const words = JSON.stringify({ type: "act", id: acts, as: as ?? undefined, do: what, ...fields });
  if (words.length > LARGEST) return Promise.resolve({ error: "This is too much for the sandbox: it takes files of 11 MB in all." });
  socket.send(words);
  return new Promise((resolve) => waiting.set(acts, resolve));
}

/** Do something at a place that shows that it waits, and what went wrong; what was typed before goes out before it. */
export async function perform(as, key, what, fields) {
  ui.busy.add(key);
  ui.problems.delete(key);
  refresh();
  await Promise.all(entering.values());
  const done = await act(as, what, fields);
  ui.busy.delete(key);
  if (done.error) ui.problems.set(key, done.error);
  refresh();
  return done;
}

/** Enter a value into a field: it shows at once, and stays until the server tells what became of it. */
export function enter(surface, key, what, fields, value) {
  ui.entered.set(key, { value, settled: false, fields: { ...surface.at, ...fields } });
  ui.problems.delete(key);
  if (!entering.has(key)) entering.set(key, sent(surface.as, key, what).finally(() => entering.delete(key)));
  refresh();
}

/** Send what a field holds, one act at a time, until the newest has been answered. */
async function sent(as, key, what) {
  for (let entry = null; entry !== ui.entered.get(key); ) {
    entry = ui.entered.get(key);
    const done = await act(as, what, entry.fields);
    entry.settled = !done.error;
    if (done.error) ui.problems.set(key, done.error);
  }
  refresh();
}

export const nameOf = (id) => parts.people?.find((person) => person.id === id)?.name ?? id;
export const roleOf = (id) => parts.people?.find((person) => person.id === id)?.role ?? "";
export const botName = () => parts.people?.find((person) => person.role === "bot")?.name ?? "the bot";
export const channelOf = (id) => parts.channels?.find((channel) => channel.id === id);
export const channelName = (id) => channelOf(id)?.name ?? id;
export const groupName = (id) => parts.usergroups?.find((group) => group.id === id)?.handle ?? id;
