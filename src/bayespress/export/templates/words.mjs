const PIECE = 4096; // letters of a word that are put together at once

/**
 * Find the words of a text, one by one: what lies behind the last that is asked for is not read.
 * @param {string} text
 * @returns {Generator<{token: string, start: number, end: number}>} The text's part from `start` to
 *   `end`, counted as JavaScript's strings count, became the token.
 */
function* words(text) {
  let token = "";
  let codes = [];
  let [first, last] = [0, 0];
  const whole = () => ({ token: token + String.fromCodePoint(...codes), start: first, end: last });
  for (const { code, start, end } of characters(text)) {
    if (isWord(code)) {
      if (!codes.length && !token) first = start;
      last = end;
      // A string for each letter of a very long word would take more memory than the text.
      if (codes.push(code) === PIECE) {
        token += String.fromCodePoint(...codes);
        codes = [];
      }
    } else if (codes.length || token) {
      yield whole();
      token = "";
      codes = [];
    }
  }
  if (codes.length || token) yield whole();
}
