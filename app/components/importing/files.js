// @ts-check
// The files that a person drops or chooses, with their paths relative to what was dropped.

/** @typedef {{ path: string, file: File }} Chosen */

const JUNK = new Set(["thumbs.db", "desktop.ini", "__macosx"]);

/**
 * Whether a path is a hidden file or one that file managers create.
 * @param {string} path
 */
export function isJunk(path) {
  return path.split("/").some((part) => part.startsWith(".") || JUNK.has(part.toLowerCase()));
}

/**
 * The files without junk; a number is added where two files would have the same path.
 * @param {Chosen[]} files
 * @returns {Chosen[]}
 */
export function tidy(files) {
  const taken = new Set();
  return files
    .filter(({ path }) => !isJunk(path))
    .map(({ path, file }) => {
      const unique = freePath(path, taken);
      taken.add(unique);
      return { path: unique, file };
    });
}

/**
 * @param {string} path
 * @param {Set<string>} taken
 */
function freePath(path, taken) {
  const dot = path.lastIndexOf(".");
  const end = dot > path.lastIndexOf("/") + 1 ? dot : path.length;
  let found = path;
  for (let number = 2; taken.has(found); number++) found = `${path.slice(0, end)} (${number})${path.slice(end)}`;
  return found;
}

/** The files of a file input. @param {FileList | null} list @returns {Chosen[]} */
export function chosen(list) {
  return tidy([...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/**
 * The files of a drop, with the contents of folders. The entries are read first, since the drop is empty after an await.
 * @param {DataTransfer} drop
 * @returns {Promise<Chosen[]>}
 */
export async function dropped(drop) {
  const held = [...drop.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  /** @type {Chosen[]} */
  const found = [];
  for (const { entry, file } of held) {
    if (entry) await walk(entry, found);
    else if (file) found.push({ path: file.name, file }); // dragged from another page or program instead of the disk
  }
  return tidy(found);
}

/**
 * @param {FileSystemEntry} entry
 * @param {Chosen[]} found
 */
async function walk(entry, found) {
  if (isJunk(entry.name)) return;
  if (entry.isFile) {
    const from = /** @type {FileSystemFileEntry} */ (entry);
    /** @type {File} */
    const file = await new Promise((resolve, reject) => from.file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\/+/, ""), file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} at most a hundred at a time, and none at the end */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await walk(each, found);
  }
}
