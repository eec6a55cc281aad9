// Files that are dropped on the card: also those in folders.

// What systems give no type to, although it is a recording; files that were dropped one by one are all tried.
const ENDINGS = /\.(3gp|avi|flv|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|ogv|ts|webm|wmv)$/i;

/**
 * @param {HTMLElement} card where files may be dropped
 * @param {HTMLElement} area what shows that they may
 * @param {(files: File[]) => void} take
 */
export function takeDrops(card, area, take) {
  let depth = 0; // every child that is entered or left tells so
  /** @param {number} change */
  const show = (change) => {
    depth = change === 0 ? 0 : Math.max(0, depth + change);
    area.classList.toggle("over", depth > 0);
  };
  /** @type {(handle: (data: DataTransfer) => void) => (event: DragEvent) => void} */
  const withFiles = (handle) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    handle(event.dataTransfer);
  };
  card.addEventListener("dragenter", withFiles(() => show(1)));
  card.addEventListener("dragleave", withFiles(() => show(-1)));
  card.addEventListener("dragover", withFiles((data) => (data.dropEffect = "copy")));
  card.addEventListener("drop", withFiles(async (data) => {
    show(0);
    const files = await filesIn(data);
    if (files.length) take(files);
  }));
}

/**
 * What was dropped has to be asked for before the event is over; folders are read after it.
 *
 * @param {DataTransfer} data
 * @returns {Promise<File[]>}
 */
async function filesIn({ items, files }) {
  const given = [...files];
  /** @type {FileSystemDirectoryEntry[]} */
  const folders = [];
  for (const item of items) {
    const entry = item.webkitGetAsEntry?.();
    if (isFolder(entry)) folders.push(entry);
  }
  const plain = given.filter((file) => !folders.some((folder) => folder.name === file.name));
  return [...plain, ...(await Promise.all(folders.map(recordingsIn))).flat()];
}

/** @type {(entry: FileSystemEntry | null | undefined) => entry is FileSystemDirectoryEntry} */
function isFolder(entry) {
  return entry?.isDirectory ?? false;
}

/**
 * A file that can't be read stands as an empty one of its name, which is refused by name; the others are taken.
 *
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<File[]>}
 */
async function recordingsIn(folder) {
  const reader = folder.createReader();
  /** @type {File[]} */
  const found = [];
  /** @type {() => Promise<FileSystemEntry[]>} */
  const some = () => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
  for (let entries; (entries = await some()).length; ) {
    for (const entry of entries) {
      if (isFolder(entry)) found.push(...(await recordingsIn(entry)));
      else found.push(await fileOf(/** @type {FileSystemFileEntry} */ (entry)));
    }
  }
  return found.filter((file) => file.type.startsWith("video/") || ENDINGS.test(file.name));
}

/** @type {(entry: FileSystemFileEntry) => Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(new File([], entry.name))));
}
