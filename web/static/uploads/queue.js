// The queue of uploads: what is sent when, what can be done with it, and what became of it.

import { byId } from "../http/elements.js";
import { fingerprint, forget, interrupted, remember } from "./interrupted.js";
import { described } from "./options.js";
import { size, timeLeft } from "../http/quantities.js";
import { pace, watchQueue } from "./queuehead.js";
import { AT_WORK, OVER, createRow } from "./row.js";
import { Refusal, describe, terminate, upload } from "./tus.js";

/**
 * @import { Interrupted, Source } from "./interrupted.js"
 * @import { Options } from "./options.js"
 * @import { Action, More, Row, State } from "./row.js"
 *
 * @typedef {{canReturn?: boolean}} Origin canReturn: the person has the file, and can choose it again another day
 *
 * @typedef {object} Item of the queue
 * @property {Source} source what is known of the file
 * @property {File | null} file null: it has to be chosen again
 * @property {Options} options
 * @property {boolean} canReturn
 * @property {string | null} url of the upload; null: it has not begun
 * @property {number | null} sent bytes; null: the server was not asked yet
 * @property {{at: number, bytes: number}[]} marks what was sent when, over the last seconds
 * @property {State} state
 * @property {AbortController | null} stop of what is being sent
 * @property {number} drawnAt
 * @property {ReturnType<typeof setTimeout> | null} drawing
 * @property {() => void} release forgets what this browser remembers of it
 * @property {Row} row
 */

const AT_A_TIME = 2;
const LOOK_AGAIN_MS = 2000;
const PACE_MS = 8000; // what the speed is a mean of
const DRAW_MS = 250;
const NEWS_KEPT = 5;
/** @type {State[]} */
const UNSAID = ["waiting", "checking", "interrupted"]; // needless to read aloud

/**
 * @param {{endpoint: string, maxBytes: number, accepted: () => void, chooseAgain: () => void}} how accepted: called after
 *   every recording that was accepted; chooseAgain: lets the person choose a file, which then comes by add()
 */
export function createQueue({ endpoint, maxBytes, accepted, chooseAgain }) {
  /** @type {Item[]} */
  const items = [];
  const rows = byId("queue-rows");
  const template = byId("queue-row", HTMLTemplateElement);
  const summarise = watchQueue(items, (action, item) => actions[action](item));
  /** @type {Item | null} */
  let sought = null; // the interrupted upload whose file is being chosen
  const restored = interrupted().then((records) => records.forEach(restore));

  /**
   * Add files; those that were interrupted go on.
   *
   * @param {File[]} files
   * @param {Options} options
   * @param {Origin} [origin]
   */
  async function add(files, options, { canReturn = true } = {}) {
    await restored;
    const asked = sought;
    sought = null;
    if (asked && items.includes(asked) && !files.some((file) => isSame(file, asked.source))) {
      const sentence = `${files[0].name} is another file. Choose ${asked.source.name}, unchanged since, or cancel this upload.`;
      change(asked, "interrupted", { sentence });
      return;
    }
    for (const file of files) {
      const known = match(file, options, asked);
      if (known) goOn(known, file);
      else enter(file, options, canReturn);
    }
    fill();
  }

  /**
   * An upload of the same file that isn't over. Options that nobody set don't stand against those of the first time.
   *
   * @type {(file: File, options: Options, asked: Item | null) => Item | undefined}
   */
  function match(file, options, asked) {
    const same = items.filter((item) => !OVER.includes(item.state) && isSame(file, item.source));
    if (asked && same.includes(asked)) return asked;
    const key = fingerprint(file, options);
    return (
      same.find((item) => fingerprint(item.source, item.options) === key) ??
      (Object.keys(options).length ? undefined : same.find((item) => item.state === "interrupted"))
    );
  }

  /** @type {(file: File, options: Options, canReturn: boolean) => void} */
  function enter(file, options, canReturn) {
    const item = place(file, options, { canReturn, file });
    if (file.size === 0) change(item, "refused", { sentence: "The file is empty or can't be read. Choose the recording again." });
    else if (file.size > maxBytes) {
      const sentence = `A recording may have up to ${size(maxBytes)} here; this one has ${size(file.size)}.`;
      change(item, "refused", { sentence });
    } else change(item, "waiting");
  }

  /** @type {(item: Item, file: File) => void} */
  function goOn(item, file) {
    if (item.state === "interrupted") {
      item.file = file;
      hold(item);
    }
    if (item.state === "interrupted" || item.state === "paused") change(item, "waiting");
    else tell(`${file.name} is in the queue already.`);
  }

  /**
   * Show what a page that was closed left behind.
   *
   * @param {Interrupted} record
   */
  async function restore(record) {
    const item = place(record, record.options, { url: record.url });
    change(item, "interrupted");
    try {
      let found = await describe(record.url);
      for (; found?.status === "examining"; found = await describe(record.url)) {
        if (!items.includes(item)) return; // it was cancelled meanwhile
        change(item, "checking");
        item.row.measure({ total: record.size, sent: found.offset });
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
      if (item.file || !items.includes(item)) return; // it was chosen or cancelled meanwhile
      if (found?.status === "receiving") {
        item.sent = found.offset;
        item.row.measure({ total: record.size, sent: found.offset });
        return;
      }
      forget(record);
      if (found === null) leave(item);
      else if (found.status === "accepted") welcome(item, found);
      else if (found.status === "refused") change(item, "refused", { sentence: found.error.message });
    } catch (fault) {
      console.warn(fault); // the server can't be asked now; it is when the file is chosen
      if (item.state === "checking" && !item.file) change(item, "interrupted");
    }
  }

  /** @type {(source: Source, options: Options, more: Partial<Item>) => Item} */
  function place(source, options, more) {
    /** @type {Item} */
    const item = {
      source, options, file: null, canReturn: true, url: null, marks: [], state: "waiting", stop: null, drawnAt: 0, drawing: null,
      sent: more.url ? null : 0, // of an interrupted one it isn't known before the server is asked
      release: () => {},
      row: createRow(template, source.name, (action) => actions[action](item)),
      ...more,
    };
    item.row.measure({ total: source.size, sent: item.sent });
    items.push(item);
    rows.append(item.row.element);
    return item;
  }

  /** Start as many as may be sent at a time, the oldest first. */
  function fill() {
    let free = AT_A_TIME - items.filter((item) => AT_WORK.includes(item.state) && item.stop).length;
    for (const item of items) if (item.state === "waiting" && free-- > 0) send(item);
  }

  /** @param {Item} item */
  async function send(item) {
    const { file } = item;
    if (!file) return;
    const stop = (item.stop = new AbortController());
    const metadata = { filename: file.name, filetype: file.type, ...item.options };
    change(item, "sending");
    try {
      const found = await upload(file, { endpoint, metadata, url: item.url }, stop.signal, {
        created(url) {
          item.url = url;
          hold(item);
        },
        sent(bytes) {
          if (item.state !== "sending") change(item, "sending");
          progress(item, bytes);
        },
        examined() {
          if (item.state !== "checking") change(item, "checking");
        },
        waits: (sentence, seconds) => {
          item.marks = [];
          change(item, "lost", { sentence: `${sentence} Next try in ${timeLeft(seconds)}.` });
        },
      });
      item.release();
      welcome(item, found);
    } catch (fault) {
      if (stop.signal.aborted) return; // by a person, who has seen to the rest
      if (!(fault instanceof Refusal)) console.error(fault);
      refuse(item, fault instanceof Refusal ? fault : new Refusal("Something went wrong in this page. Try again.", { status: 500 }));
    } finally {
      if (item.stop === stop) item.stop = null;
      fill();
    }
  }

  /** @param {Item} item */
  function hold(item) {
    item.release();
    if (item.canReturn && item.url) item.release = remember(item.url, item.source, item.options);
  }

  /** @type {(item: Item, bytes: number) => void} */
  function progress(item, bytes) {
    item.sent = bytes;
    const now = performance.now();
    item.marks = [...item.marks.filter((mark) => now - mark.at < PACE_MS), { at: now, bytes }];
    const restMs = item.drawnAt + DRAW_MS - now;
    if (restMs <= 0 || bytes === item.source.size) draw(item);
    else item.drawing ??= setTimeout(() => draw(item), restMs); // or a stop would leave what was sent last unseen
  }

  /** @param {Item} item */
  function draw(item) {
    clearTimeout(item.drawing ?? undefined);
    item.drawing = null;
    if (item.state !== "sending") return;
    item.drawnAt = performance.now();
    item.row.measure({ total: item.source.size, sent: item.sent, bytesPerS: pace(item) });
    summarise();
  }

  /** @type {(item: Item, upload: Api.AcceptedUpload) => void} */
  function welcome(item, { video }) {
    const page = video.links.page;
    if (video.duplicate) {
      const sentence = "This recording was uploaded before with the same options.";
      change(item, "known", { sentence, page, link: "Show that analysis" });
    } else change(item, "accepted", { page });
    accepted();
  }

  /** @type {(item: Item, fault: Refusal) => void} */
  function refuse(item, fault) {
    const canPass = fault.status >= 500; // no space on the disk
    if (!canPass) item.release();
    change(item, canPass ? "failed" : "refused", { sentence: fault.message });
  }

  /** @type {Record<Action, (item: Item) => void>} */
  const actions = {
    pause(item) {
      item.stop?.abort();
      item.marks = [];
      change(item, "paused");
      fill();
    },
    continue(item) {
      change(item, "waiting");
      fill();
    },
    again: (item) => actions.continue(item),
    choose(item) {
      sought = item;
      chooseAgain();
    },
    cancel(item) {
      item.stop?.abort();
      if (item.url) terminate(item.url);
      if (item.state === "interrupted") forget({ ...item.source, options: item.options });
      item.release();
      tell(`${item.source.name}: cancelled. What was sent of it is deleted.`);
      leave(item);
      fill();
    },
    remove(item) {
      if (item.state === "failed" && item.url) terminate(item.url);
      item.release();
      leave(item);
    },
  };

  /**
   * Take a row away; whoever stood in it is led to the next one.
   *
   * @param {Item} item
   */
  function leave(item) {
    const { element } = item.row;
    const wasIn = element.contains(document.activeElement);
    const place = items.indexOf(item);
    items.splice(place, 1);
    element.remove();
    summarise();
    if (!wasIn) return;
    const next = items[place] ?? items[place - 1];
    if (next) next.row.focus();
    else byId("choose").focus();
  }

  /** @type {(item: Item, state: State, more?: More) => void} */
  function change(item, state, more = {}) {
    if (state !== item.state && !UNSAID.includes(state) && (state !== "sending" || item.state !== "waiting")) {
      tell(`${item.source.name}: ${announced(state, more.sentence)}`);
    }
    item.state = state;
    if (state === "interrupted") more.sentence ??= `Choose the file again to continue (${described(item.options)}).`;
    item.row.show(state, more);
    if (state === "sending") reveal(item.row.element);
    if (state === "paused" || state === "lost") item.row.measure({ total: item.source.size, sent: item.sent });
    if (OVER.includes(state)) item.row.measure({ total: item.source.size });
    summarise();
  }

  /**
   * A long queue scrolls by itself, unless somebody is at it.
   *
   * @param {HTMLElement} element
   */
  function reveal(element) {
    if (!rows.matches(":hover, :focus-within")) rows.scrollTop = element.offsetTop - rows.clientHeight / 3;
  }

  return { add, forgetSought: () => (sought = null) };
}

/** @type {(file: File, source: Source) => boolean} */
function isSame(file, source) {
  return file.name === source.name && file.size === source.size && file.lastModified === source.lastModified;
}

/** @type {(state: State, sentence?: string) => string} */
function announced(state, sentence = "") {
  if (state === "sending") return "sending goes on";
  if (state === "lost") return sentence;
  const words = state === "known" ? "already analysed" : state === "failed" ? "not sent" : state;
  return `${words}. ${sentence}`;
}

/** @param {string} sentence */
function tell(sentence) {
  const news = byId("queue-news");
  news.append(Object.assign(document.createElement("p"), { textContent: sentence }));
  while (news.childElementCount > NEWS_KEPT) news.firstElementChild?.remove();
}
