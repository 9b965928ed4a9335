// Makes untrusted text safe to show: what would move a cursor, turn the writing round or hide becomes a visible escape.
// It refuses to know where the text came from: a server, a certificate and a stored file are trusted alike, not at all.

/**
 * Controls (C0, DEL, C1), format marks (bidirectional, zero-width), line and paragraph separators, surrogates without
 * their other half, and what Unicode would have a renderer ignore.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** The text with `\x1b`, `\u202e` or `\u{e0041}` in the place of what cannot be shown. A line feed stays what it is. */
export function visible(text: string): string {
  return text.replace(unsafe, (mark) => (mark === "\n" ? mark : escapeOf(mark.codePointAt(0) ?? 0)));
}

/** The same for what must stay on its line: a line feed is shown as `\x0a`. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll("\n", "\\x0a");
}

/** JSON that means the same and is safe on a terminal: the marks that JSON allows as they are become `\uXXXX`. */
export function visibleJson(json: string): string {
  // JSON.stringify has escaped C0 inside strings; the line feeds that are left are its own indentation.
  return json.replace(unsafe, (mark) => (mark === "\n" ? mark : mark.split("").map(unitEscape).join("")));
}

function escapeOf(point: number): string {
  if (point < 0x100) return `\\x${point.toString(16).padStart(2, "0")}`;
  if (point < 0x10000) return `\\u${point.toString(16).padStart(4, "0")}`;
  return `\\u{${point.toString(16)}}`;
}

function unitEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
