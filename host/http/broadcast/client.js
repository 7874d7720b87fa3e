/**
 * Messages of an exthost server, live in a web page:
 *
 *     import { Broadcast } from "/api/broadcast/client.js";
 *
 *     const live = new Broadcast({ channels: ["notes/>"] });
 *     live.on("notes/changed", (message) => show(message.data));
 *     live.onGap = () => reload();
 *
 * A message is `{ id, channel, event, sequence, data }`. It connects with a
 * WebSocket, or with server-sent events where that fails; connects again by
 * itself; and goes on after the last message that it has seen.
 */
export class Broadcast {
  /** Called with `{ id, channel, lost }` when messages were lost: `channel` and
   *  `lost` are null when nobody knows how many. Load what you show anew. */
  onGap = () => {};
  /** Called with "connecting", "open" or "closed" whenever that changes. */
  onState = () => {};
  /** Called with `{ code, message }` when the server refuses something. */
  onError = (error) => console.warn(`broadcast: ${error.code}: ${error.message}`);
  state = "connecting";

  #url;
  #token;
  #channels;
  #handlers = new Set();
  #last = null;
  #connection = null;
  #sockets = HAS_SOCKETS;
  #proven = false;
  #failures = 0;
  #timer = null;

  /** Listens to `channels`, a list of patterns such as "notes/>", at `url`, the
   *  server's `/api/broadcast`: the one this file came from unless given. Where
   *  that asks who listens, `token` says so. */
  constructor({ channels, token = null, url = new URL("../broadcast", import.meta.url) }) {
    this.#url = new URL(url, import.meta.url);
    this.#token = token;
    this.#channels = [...channels];
    this.#timer = setTimeout(() => this.#connect());
  }

  /** Calls `handler` with each message whose channel matches `pattern`; returns
   *  a function that ends this. */
  on(pattern, handler) {
    const entry = { matches: matcher(pattern), handler };
    this.#handlers.add(entry);
    return () => this.#handlers.delete(entry);
  }

  /** Sends an event to one plugin; throws unless a WebSocket is open. */
  dispatch(plugin, event, data = null) {
    if (this.state !== "open" || !this.#sockets) {
      throw new Error("an event can be dispatched over an open WebSocket only");
    }
    this.#connection.send(JSON.stringify({ dispatch: { plugin, event, data } }));
  }

  /** Ends the connection for good. */
  close() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#enter("closed");
  }

  #connect() {
    const url = new URL(this.#url);
    if (this.#sockets) {
      url.pathname += "/ws";
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    }
    url.searchParams.set("channels", this.#channels.join(","));
    if (this.#last !== null) url.searchParams.set("last_event_id", this.#last);
    // Browsers let no page set headers here.
    if (this.#token !== null) url.searchParams.set("access_token", this.#token);
    this.#sockets ? this.#openSocket(url) : this.#openEvents(url);
  }

  #openSocket(url) {
    const socket = (this.#connection = new WebSocket(url));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.id !== undefined) this.#hear(frame);
      else if (frame.ready) this.#begin(frame.ready);
      else if (frame.gap) this.#miss(frame.gap);
      else if (frame.error) this.onError(frame.error);
    };
    socket.onclose = () => this.#again();
  }

  #openEvents(url) {
    const events = (this.#connection = new EventSource(url, { withCredentials: true }));
    events.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    events.addEventListener("ready", ({ data }) => this.#begin(JSON.parse(data)));
    events.addEventListener("gap", ({ data }) => this.#miss(JSON.parse(data)));
    // It would connect again by itself, but not after every failure.
    events.onerror = () => this.#again();
  }

  #begin({ id }) {
    this.#last = id;
    this.#proven = true;
    this.#failures = 0;
    this.#enter("open");
  }

  #hear(message) {
    this.#last = message.id;
    for (const { matches, handler } of this.#handlers) {
      if (matches(message.channel)) call(handler, message);
    }
  }

  #miss(gap) {
    this.#last = gap.id;
    this.onGap(gap);
  }

  /** Connects again, later and later, and not when all others do. As long as
   *  nothing has worked, it tries WebSockets and events in turn. */
  #again() {
    this.#drop();
    this.#failures += 1;
    if (!this.#proven && HAS_SOCKETS && HAS_EVENTS) this.#sockets = !this.#sockets;
    const pause = Math.min(500 * 2 ** this.#failures, 30_000) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#connect(), pause);
    // Last, because whoever hears of it may close.
    this.#enter("connecting");
  }

  #drop() {
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = connection.onclose = connection.onerror = connection.onmessage = null;
    connection.close();
  }

  #enter(state) {
    if (this.state !== state) this.onState((this.state = state));
  }
}

const HAS_SOCKETS = typeof WebSocket === "function";
const HAS_EVENTS = typeof EventSource === "function";

/** Calls a handler; what it throws is reported, and keeps no other from its call. */
function call(handler, message) {
  try {
    handler(message);
  } catch (error) {
    setTimeout(() => { throw error; });
  }
}

/** Whether a channel matches a pattern: `*` is one token, a last `>` the rest. */
function matcher(pattern) {
  const wanted = pattern.split(/[/.]/);
  const rest = wanted.at(-1) === ">";
  if (rest) wanted.pop();
  return (channel) => {
    const tokens = channel.split(/[/.]/);
    const long = rest ? tokens.length > wanted.length : tokens.length === wanted.length;
    return long && wanted.every((token, at) => token === "*" || token === tokens[at]);
  };
}
