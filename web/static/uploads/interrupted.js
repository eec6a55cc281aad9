// Remembers uploads in this browser, so that choosing the same file again goes on where it stopped, also days later.

const PREFIX = "timeline.upload:";

/**
 * @import { Options } from "./options.js"
 *
 * @typedef {Pick<File, "name" | "size" | "lastModified">} Source a file, as far as a page may know it
 *
 * @typedef {Source & {url: string, options: Options}} Interrupted an upload of a page that was closed
 */

/**
 * What makes an upload the same: the file, as far as a page may know it, and the options.
 *
 * @param {Source} source
 * @param {Options} options
 */
export function fingerprint({ name, size, lastModified }, options) {
  return JSON.stringify([name, size, lastModified, ...Object.entries(options).sort().flat()]);
}

/**
 * Remember an upload, and hold it for as long as this page is open (where the browser has locks): other pages don't
 * show it as interrupted meanwhile.
 *
 * @param {string} url
 * @param {Source} source
 * @param {Options} options
 * @returns {() => void} to call when it is over: it is forgotten
 */
export function remember(url, { name, size, lastModified }, options) {
  const key = PREFIX + fingerprint({ name, size, lastModified }, options);
  const release = hold(key);
  write((storage) => storage.setItem(key, JSON.stringify({ url, name, size, lastModified, options })));
  return () => {
    write((storage) => storage.removeItem(key));
    release();
  };
}

/** @returns {Promise<Interrupted[]>} */
export async function interrupted() {
  const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
  const kept = Object.entries(storage()).filter(([key]) => key.startsWith(PREFIX) && !held.has(key));
  return kept.map(([, record]) => JSON.parse(record));
}

/**
 * Forget an upload that is over.
 *
 * @param {Source & {options: Options}} record
 */
export function forget(record) {
  write((storage) => storage.removeItem(PREFIX + fingerprint(record, record.options)));
}

/** @type {(name: string) => () => void} */
function hold(name) {
  let release = () => {};
  /** @type {Promise<void>} */
  const whenReleased = new Promise((resolve) => (release = resolve));
  navigator.locks?.request(name, () => whenReleased);
  return release;
}

/**
 * Without the storage (full, or forbidden in this browser) uploads work, and can't be continued later.
 *
 * @param {(storage: Storage) => void} change
 */
function write(change) {
  try {
    change(localStorage);
  } catch (error) {
    console.warn(error);
  }
}

/** @returns {Record<string, string>} */
function storage() {
  try {
    return { ...localStorage };
  } catch {
    return {};
  }
}
