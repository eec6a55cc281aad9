// Times in the reader's own zone and manner; without this script they stand there in UTC.

import { every } from "../http/elements.js";

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @param {ParentNode} root */
export function localiseTimes(root) {
  for (const time of every(root, "time[datetime]", HTMLTimeElement)) {
    time.textContent = format.format(new Date(time.dateTime));
    time.title = time.dateTime;
  }
}
