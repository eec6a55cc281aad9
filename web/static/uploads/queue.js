// The queue of uploads: what is sent when, what can be done with it, and what became of it.

import { fingerprint, forget, interrupted, remember } from "./interrupted.js";
import { described } from "./options.js";
import { size, timeLeft } from "../http/quantities.js";
import { pace, watchQueue } from "./queuehead.js";
import { AT_WORK, OVER, createRow } from "./row.js";
import { Refusal, describe, terminate, upload } from "./tus.js";

const AT_A_TIME = 2;
const LOOK_AGAIN_MS = 2000;
const PACE_MS = 8000; // what the speed is a mean of
const DRAW_MS = 250;
const NEWS_KEPT = 5;
const UNSAID = ["waiting", "checking", "interrupted"]; // needless to read aloud

/**
 * @param {{endpoint: string, maxBytes: number, accepted: () => void, chooseAgain: () => void}} how accepted: called after
 *   every recording that was accepted; chooseAgain: lets the person choose a file, which then comes by add()
 */
export function createQueue({ endpoint, maxBytes, accepted, chooseAgain }) {
  const part = (name) => document.getElementById(`queue${name}`);
  const items = [];
  const summarise = watchQueue(items, (action, item) => actions[action](item));
  let sought = null; // the interrupted upload whose file is being chosen
  const restored = interrupted().then((records) => records.forEach(restore));

  /**
   * Add files; those that were interrupted go on.
   *
   * @param {File[]} files
   * @param {Object<string, string>} options as watchOptions() reads them
   * @param {{canReturn: boolean}} origin canReturn: the person has the file, and can choose it again another day
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

  /** An upload of the same file that isn't over. Options that nobody set don't stand against those of the first time. */
  function match(file, options, asked) {
    const same = items.filter((item) => !OVER.includes(item.state) && isSame(file, item.source));
    if (asked && same.includes(asked)) return asked;
    const key = fingerprint(file, options);
    return (
      same.find((item) => fingerprint(item.source, item.options) === key) ??
      (Object.keys(options).length ? undefined : same.find((item) => item.state === "interrupted"))
    );
  }

  function enter(file, options, canReturn) {
    const item = place(file, options, { canReturn, file });
    if (file.size === 0) change(item, "refused", { sentence: "The file is empty or can't be read. Choose the recording again." });
    else if (file.size > maxBytes) {
      const sentence = `A recording may have up to ${size(maxBytes)} here; this one has ${size(file.size)}.`;
      change(item, "refused", { sentence });
    } else change(item, "waiting");
  }

  function goOn(item, file) {
    if (item.state === "interrupted") {
      item.file = file;
      hold(item);
    }
    if (item.state === "interrupted" || item.state === "paused") change(item, "waiting");
    else tell(`${file.name} is in the queue already.`);
  }

  /** Show what a page that was closed left behind. */
  async function restore(record) {
    const item = place(record, record.options, { url: record.url });
    change(item, "interrupted");
    try {
      let found = await describe(record.url);
      for (; found?.status === "examining"; found = await describe(record.url)) {
        change(item, "checking");
        item.row.measure({ total: record.size, sent: found.offset });
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
      if (item.file) return; // it was chosen meanwhile
      if (found?.status === "receiving") {
        item.sent = found.offset;
        item.row.measure({ total: record.size, sent: found.offset });
        return;
      }
      forget(record);
      if (found === null) leave(item);
      else if (found.status === "accepted") welcome(item, found);
      else change(item, "refused", { sentence: found.error.message });
    } catch (fault) {
      console.warn(fault); // the server can't be asked now; it is when the file is chosen
      if (item.state === "checking" && !item.file) change(item, "interrupted");
    }
  }

  function place(source, options, more) {
    const sent = more.url ? null : 0; // of an interrupted one it isn't known before the server is asked
    const item = { source, options, url: null, sent, marks: [], state: null, drawnAt: 0, drawing: null, release: () => {}, ...more };
    item.row = createRow(part("-row"), source.name, (action) => actions[action](item));
    item.row.measure({ total: source.size, sent: item.sent });
    items.push(item);
    part("-rows").append(item.row.element);
    return item;
  }

  /** Start as many as may be sent at a time, the oldest first. */
  function fill() {
    let free = AT_A_TIME - items.filter((item) => AT_WORK.includes(item.state) && item.stop).length;
    for (const item of items) if (item.state === "waiting" && free-- > 0) send(item);
  }

  async function send(item) {
    const stop = (item.stop = new AbortController());
    const metadata = { filename: item.source.name, filetype: item.source.type, ...item.options };
    change(item, "sending");
    try {
      const found = await upload(item.file, { endpoint, metadata, url: item.url }, stop.signal, {
        created(url) {
          item.url = url;
          hold(item);
        },
        sent(bytes) {
          if (item.state !== "sending") change(item, "sending");
          progress(item, bytes);
        },
        examined: () => item.state === "checking" || change(item, "checking"),
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

  function hold(item) {
    item.release();
    if (item.canReturn !== false) item.release = remember(item.url, item.source, item.options);
  }

  function progress(item, bytes) {
    item.sent = bytes;
    const now = performance.now();
    item.marks = [...item.marks.filter((mark) => now - mark.at < PACE_MS), { at: now, bytes }];
    const restMs = item.drawnAt + DRAW_MS - now;
    if (restMs <= 0 || bytes === item.source.size) draw(item);
    else item.drawing ??= setTimeout(() => draw(item), restMs); // or a stop would leave what was sent last unseen
  }

  function draw(item) {
    clearTimeout(item.drawing);
    item.drawing = null;
    if (item.state !== "sending") return;
    item.drawnAt = performance.now();
    item.row.measure({ total: item.source.size, sent: item.sent, bytesPerS: pace(item) });
    summarise();
  }

  function welcome(item, { video }) {
    const page = video.links.page;
    if (video.duplicate) {
      const sentence = "This recording was uploaded before with the same options.";
      change(item, "known", { sentence, page, link: "Show that analysis" });
    } else change(item, "accepted", { page });
    accepted();
  }

  function refuse(item, fault) {
    const canPass = fault.status >= 500; // no space on the disk
    if (!canPass) item.release();
    change(item, canPass ? "failed" : "refused", { sentence: fault.message });
  }

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

  /** Take a row away; whoever stood in it is led to the next one. */
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
    else document.getElementById("choose").focus();
  }

  function change(item, state, more = {}) {
    if (state !== item.state && !UNSAID.includes(state) && (state !== "sending" || item.state !== "waiting")) {
      const words = { sending: "sending goes on", lost: more.sentence }[state];
      tell(`${item.source.name}: ${words ?? `${{ known: "already analysed", failed: "not sent" }[state] ?? state}. ${more.sentence ?? ""}`}`);
    }
    item.state = state;
    if (state === "interrupted") more.sentence ??= `Choose the file again to continue (${described(item.options)}).`;
    item.row.show(state, more);
    if (state === "sending") reveal(item.row.element);
    if (state === "paused" || state === "lost") item.row.measure({ total: item.source.size, sent: item.sent });
    if (OVER.includes(state)) item.row.measure({ total: item.source.size });
    summarise();
  }

  /** A long queue scrolls by itself, unless somebody is at it. */
  function reveal(element) {
    const rows = part("-rows");
    if (!rows.matches(":hover, :focus-within")) rows.scrollTop = element.offsetTop - rows.clientHeight / 3;
  }

  return { add, forgetSought: () => (sought = null) };
}

function isSame(file, source) {
  return file.name === source.name && file.size === source.size && file.lastModified === source.lastModified;
}

function tell(sentence) {
  const news = document.getElementById("queue-news");
  news.append(Object.assign(document.createElement("p"), { textContent: sentence }));
  while (news.childElementCount > NEWS_KEPT) news.firstElementChild.remove();
}
