// Quantities as people read and write them, in the manner of web/http/formatting.py.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/**
 * Bytes in decimal units: 640 B, 3.1 MB, 1.2 GB.
 *
 * @param {number} bytes
 */
export function size(bytes) {
  let unit = 0;
  for (; bytes >= 999.5 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  return `${bytes.toFixed(unit < 2 || bytes >= 99.5 ? 0 : 1)} ${UNITS[unit]}`;
}

/**
 * A forecast, no more exact than it can be: 40 s, 3 min, 2 h 10 min.
 *
 * @param {number} seconds
 */
export function timeLeft(seconds) {
  if (seconds < 50) return `${Math.max(1, seconds >= 10 ? Math.round(seconds / 5) * 5 : Math.round(seconds))} s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * A length or a moment: 0:07, 12:30, 1:02:03, and 0:07.5 where a second is not enough.
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const thousandths = Math.round(seconds * 1000);
  const [s, minutes, hours] = [(thousandths % 60000) / 1000, Math.floor(thousandths / 60000) % 60, Math.floor(thousandths / 3600000)];
  const tail = `${s < 10 ? "0" : ""}${s}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/**
 * @param {string} text
 * @returns {number} seconds of "90", "1:30", "1:02:30.5"; NaN for what is no time
 */
export function readClock(text) {
  const found = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)$/.exec(text.trim());
  if (!found) return NaN;
  const [hours, minutes, seconds] = [found[1] ?? 0, found[2] ?? 0, found[3].replace(",", ".")].map(Number);
  if ((found[2] !== undefined && seconds >= 60) || (found[1] !== undefined && minutes >= 60)) return NaN;
  return hours * 3600 + minutes * 60 + seconds;
}
