const isSpace = setOf(MODEL.characters.space);

/** A letter for each kind of code point, for regular expressions. */
function kindOf(code) {
  if (isWord(code)) return "w";
  if (code === 0x0a) return "n";
  if (isSpace(code)) return "s";
  return code === 0x27 || code === 0x2019 ? "'" : "o";
}

/**
 * Split a text, lowercased if the model wants it so.
 * @param {string} text
 * @param {RegExp} pattern What a token is, in the letters of `kindOf`.
 * @returns {{token: string, start: number, end: number}[]} The text's part from `start` to `end`,
 *   counted as JavaScript's strings count, became the token.
 */
function split(text, pattern) {
  const all = [...characters(text)];
  const kinds = all.map(({ code }) => kindOf(code)).join("");
  return Array.from(kinds.matchAll(pattern), ({ index, 0: { length } }) => ({
    token: all.slice(index, index + length).map(({ code }) => String.fromCodePoint(code)).join(""),
    start: all[index].start,
    end: all[index + length - 1].end,
  }));
}
