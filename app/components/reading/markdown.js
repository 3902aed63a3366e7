// @ts-check
// A subset of Markdown as a tree of plain text: headings, paragraphs, lists, bold, italic, code and links. HTML is not
// interpreted: tags are shown as text.

/** @typedef {{ kind: "text" | "strong" | "em" | "code", text: string } | { kind: "link", text: string, href: string }} Span */
/** @typedef {{ kind: "h3" | "h4" | "p" | "li", spans: Span[], ordered?: boolean }} Block */

const INLINE = /\*\*(?<strong>[^*]+)\*\*|\*(?<em>[^*]+)\*|`(?<code>[^`]+)`|\[(?<text>[^\]]+)\]\((?<href>[^)\s]+)\)/g;

/** @param {string} source @returns {Block[]} */
export function blocksOf(source) {
  /** @type {Block[]} */
  const blocks = [];
  let open = false; // whether the next line continues the last paragraph
  for (const line of source.split(/\r?\n/)) {
    const [, hashes, title] = /^(#{1,4})\s+(.*)$/.exec(line) ?? [];
    const [, mark, entry] = /^\s*([-*+]|\d+[.)])\s+(.*)$/.exec(line) ?? [];
    const last = blocks.at(-1);
    if (title !== undefined) blocks.push({ kind: hashes.length < 3 ? "h3" : "h4", spans: spansOf(title) });
    else if (entry !== undefined) blocks.push({ kind: "li", spans: spansOf(entry), ordered: /\d/.test(mark) });
    else if (!line.trim()) open = false;
    else if (open && last) last.spans.push({ kind: "text", text: " " }, ...spansOf(line.trim()));
    else blocks.push({ kind: "p", spans: spansOf(line.trim()) });
    if (line.trim()) open = title === undefined;
  }
  return blocks;
}

/** @param {string} text @returns {Span[]} */
export function spansOf(text) {
  /** @type {Span[]} */
  const spans = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > end) spans.push({ kind: "text", text: text.slice(end, found.index) });
    spans.push(spanOf(found));
    end = found.index + found[0].length;
  }
  if (end < text.length) spans.push({ kind: "text", text: text.slice(end) });
  return spans;
}

/** @param {RegExpMatchArray} found @returns {Span} */
function spanOf({ 0: whole, groups = {} }) {
  if (groups.strong) return { kind: "strong", text: groups.strong };
  if (groups.em) return { kind: "em", text: groups.em };
  if (groups.code) return { kind: "code", text: groups.code };
  if (/^https?:\/\//i.test(groups.href)) return { kind: "link", text: groups.text, href: groups.href };
  return { kind: "text", text: whole }; // other URLs, such as javascript: and data:, stay text
}
