// Sends a file by the open protocol tus 1.0 (https://tus.io/protocols/resumable-upload): in chunks, and after every loss
// of the connection on from where the server says it stands.

const VERSION = { "Tus-Resumable": "1.0.0" };
const CHUNK_BYTES = 8 * 1024 * 1024;
const SILENCE_MS = 60_000; // without a byte taken, before a connection counts as lost: a laptop that slept sees no error
const ANSWER_MS = 300_000; // for the answer to a whole chunk; after the last one the file is examined
const ASK_MS = 30_000;
const LOOK_AGAIN_S = 1;
const LONGEST_PAUSE_S = 30;
// "Come back later": timeout, another connection still writes (locked), too many requests, and trouble on the way.
const PASSING = [408, 423, 425, 429, 500, 502, 503, 504];

/**
 * @typedef {{endpoint: string, metadata: Record<string, string>, url: string | null}} Job url: of an upload begun earlier
 *
 * @typedef {object} Listener
 * @property {(url: string) => void} created
 * @property {(bytes: number) => void} sent
 * @property {() => void} examined
 * @property {(sentence: string, seconds: number) => void} waits
 */

/** The server has said no; trying again as before leads nowhere. */
export class Refusal extends Error {
  /**
   * @param {string} sentence why, for people
   * @param {{status?: number, code?: string}} [problem]
   */
  constructor(sentence, { status = 0, code = "" } = {}) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

/** Something on the way that passes. */
class Interruption extends Error {}

/** The server doesn't know the upload (any more). */
class Gone extends Refusal {}

/**
 * Send a file, whatever happens on the way, and wait until the server has examined it.
 *
 * @param {File} file
 * @param {Job} job
 * @param {AbortSignal} signal ends it, for a pause or for good; what was sent stays on the server
 * @param {Listener} tell what to call as it goes on
 * @returns {Promise<Api.AcceptedUpload>}
 * @throws {Refusal} the server, or the file, refuses
 */
export async function upload(file, job, signal, tell) {
  let { url } = job;
  let [tries, key] = [0, randomKey()];
  /** @type {number | null} */
  let offset = url ? null : 0;
  for (;;) {
    try {
      if (!url) {
        url = await create(job, file, key, signal);
        tell.created(url);
      }
      offset ??= await standing(url, signal);
      while (offset < file.size) {
        offset = await sendChunk(url, file, offset, signal, tell);
        tries = 0;
      }
      return await settled(url, signal, tell);
    } catch (fault) {
      signal.throwIfAborted();
      if (fault instanceof Gone && url && tries === 0) {
        [url, offset, tries, key] = [null, 0, 1, randomKey()]; // from the beginning, once
      } else if (fault instanceof Interruption) {
        await checkReadable(file);
        offset = null;
        const pauseS = Math.min(2 ** tries++, LONGEST_PAUSE_S);
        tell.waits(fault.message, pauseS);
        await pause(pauseS, signal);
      } else {
        throw fault;
      }
    }
  }
}

/** @type {(url: string, file: File, offset: number, signal: AbortSignal, tell: Listener) => Promise<number>} */
async function sendChunk(url, file, offset, signal, tell) {
  tell.sent(offset);
  const chunk = file.slice(offset, offset + CHUNK_BYTES);
  const isLast = offset + chunk.size === file.size;
  return patch(url, offset, chunk, signal, (bytes) => {
    tell.sent(offset + bytes);
    if (isLast && bytes === chunk.size) tell.examined();
  });
}

/**
 * Tell the server that the rest won't come; quietly, for an upload that nobody ends is removed in time.
 *
 * @param {string} url
 */
export async function terminate(url) {
  await fetch(url, { method: "DELETE", headers: VERSION, keepalive: true }).catch(() => {});
}

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<Api.Upload | null>} null when the server doesn't know it (any more)
 */
export async function describe(url, signal) {
  try {
    const response = await ask(url, { headers: { Accept: "application/json" } }, signal);
    return await response.json();
  } catch (fault) {
    if (fault instanceof Gone) return null;
    throw fault;
  }
}

/**
 * Where the answer gets lost, asking again by the same key finds the upload that was made.
 *
 * @type {(job: Job, file: File, key: string, signal: AbortSignal) => Promise<string>}
 */
async function create({ endpoint, metadata }, file, key, signal) {
  const headers = { ...VERSION, "Upload-Length": String(file.size), "Upload-Metadata": encoded(metadata), "Idempotency-Key": key };
  const response = await ask(endpoint, { method: "POST", headers }, signal);
  return new URL(response.headers.get("Location") ?? "", location.href).pathname; // a proxy may serve another scheme or host
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {(url: string, signal: AbortSignal) => Promise<number>} bytes that the server has */
async function standing(url, signal) {
  try {
    const response = await ask(url, { method: "HEAD", headers: VERSION }, signal);
    return Number(response.headers.get("Upload-Offset"));
  } catch (fault) {
    if (fault instanceof Gone) checkRefused(await describe(url, signal)); // then it had come whole
    throw fault;
  }
}

/**
 * Until the examination is over.
 *
 * @type {(url: string, signal: AbortSignal, tell: Listener) => Promise<Api.AcceptedUpload>}
 */
async function settled(url, signal, tell) {
  tell.examined();
  for (;;) {
    const found = await describe(url, signal);
    checkRefused(found);
    if (found === null) throw new Gone("The server has forgotten this upload. Choose the file again.");
    if (found.status === "accepted") return found;
    await pause(LOOK_AGAIN_S, signal);
    // Has it examined, should the server have been stopped before it could, or have had no room for it.
    await patch(url, found.size_bytes, new Blob(), signal, () => {}).catch((fault) => {
      if (!(fault instanceof Interruption)) throw fault;
    });
  }
}

/** @param {Api.Upload | null} found */
function checkRefused(found) {
  if (found?.status === "refused") throw new Refusal(found.error.message, found.error);
}

/** @type {(url: string, options: RequestInit, signal?: AbortSignal) => Promise<Response>} */
async function ask(url, options, signal) {
  const limits = [AbortSignal.timeout(ASK_MS), ...(signal ? [signal] : [])];
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.any(limits), cache: "no-store" });
  } catch (cause) {
    throw new Interruption("The connection was lost.", { cause });
  }
  if (!response.ok) throw fault(response.status, await response.json().catch(() => null));
  return response;
}

/**
 * Send a chunk. By XMLHttpRequest, for fetch() doesn't tell how much was sent.
 *
 * @param {string} url
 * @param {number} offset
 * @param {Blob} chunk
 * @param {AbortSignal} signal
 * @param {(bytes: number) => void} sent
 * @returns {Promise<number>} bytes that the server has then
 */
function patch(url, offset, chunk, signal, sent) {
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silence;
  /** @param {number} ms */
  const allow = (ms) => {
    clearTimeout(silence);
    silence = setTimeout(stop, ms);
  };
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded }) => {
      allow(SILENCE_MS);
      sent(loaded);
    });
    request.upload.addEventListener("load", () => allow(ANSWER_MS));
    request.addEventListener("load", () => {
      if (request.status === 204) resolve(Number(request.getResponseHeader("Upload-Offset")));
      else reject(fault(request.status, parsed(request.responseText)));
    });
    for (const end of ["error", "abort"]) {
      request.addEventListener(end, () => reject(new Interruption("The connection was lost.")));
    }
    signal.addEventListener("abort", stop);
    request.open("PATCH", url);
    const headers = { ...VERSION, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    allow(SILENCE_MS);
    request.send(chunk);
  }).finally(() => {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
  });
}

/** @type {(status: number, problem: Partial<Api.Problem> | null) => Error} */
function fault(status, problem) {
  const sentence = problem?.detail ?? `The server answered with ${status}.`;
  if (status === 404 || status === 410) return new Gone(sentence);
  if (PASSING.includes(status) || problem?.code === "wrong_offset") return new Interruption(sentence);
  return new Refusal(sentence, { status, code: problem?.code });
}

/**
 * A file that was changed or removed meanwhile fails like a connection, and would do so for ever.
 *
 * @param {File} file
 */
async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refusal("The file was changed, moved or removed since it was chosen. Choose it again.");
  }
}

/**
 * Wait; no longer than until the network is back.
 *
 * @type {(seconds: number, signal: AbortSignal) => Promise<void>}
 */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Keys with values in base64 of UTF-8.
 *
 * @param {Record<string, string>} metadata
 */
function encoded(metadata) {
  /** @param {string} text */
  const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
  return Object.entries(metadata).map(([key, value]) => `${key} ${base64(value)}`).join(",");
}
