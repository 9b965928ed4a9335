// Breaks our own sentences into lines of a terminal's width. It does not know what they say.

/** The lines after the first begin with `indent`. A word is never cut. */
export function wrapped(text: string, indent = "    ", width = 100): readonly string[] {
  const [first = "", ...words] = text.split(" ");
  const lines = [first];
  for (const word of words) {
    const line = lines.at(-1) ?? "";
    if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}
