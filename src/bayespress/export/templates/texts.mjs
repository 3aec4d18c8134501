const isWord = setOf(MODEL.characters.word);
const isSpace = setOf(MODEL.characters.space);
const isCased = setOf(MODEL.characters.cased);
const isIgnorable = setOf(MODEL.characters.ignorable);
const LOWER = lowerOf(MODEL.characters.lower, MODEL.characters.longer);
const SIGMA = 0x3a3;
const FINAL_SIGMA = 0x3c2;

/** A function that tells whether a code point is in a set. */
function setOf(packed) {
  let bound = 0;
  const bounds = Array.from(new Reader(packed ?? "").numbers(), (gap) => (bound += gap));
  return (code) => {
    // How many bounds are at or before the code point: an odd number where the set has begun.
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bounds[middle] <= code) low = middle + 1;
      else high = middle;
    }
    return low % 2 === 1;
  };
}

/** The lowercase of each code point that has another one, as a list of code points. */
function lowerOf(packed, longer) {
  const numbers = [...new Reader(packed ?? "").numbers()];
  const lower = new Map();
  let first = 0;
  for (let k = 0; k < numbers.length; k += 3) {
    first += numbers[k];
    const step = 1 + (numbers[k + 1] & 1);
    const distance = numbers[k + 2] & 1 ? -(numbers[k + 2] + 1) / 2 : numbers[k + 2] / 2;
    const end = first + step * (numbers[k + 1] >> 1);
    for (let code = first; code < end; code += step) lower.set(code, [code + distance]);
  }
  for (const [from, to] of Object.entries(longer ?? {})) {
    lower.set(from.codePointAt(0), codesOf(to));
  }
  return lower;
}

function codesOf(text) {
  return Array.from(text, (character) => character.codePointAt(0));
}

/** The lowercase of the code point at a place, as a list. */
function lowered(codes, place) {
  const code = codes[place];
  if (code === SIGMA && endsWord(codes, place)) return [FINAL_SIGMA];
  return LOWER.get(code) ?? [code];
}

/** Whether the next cased letter before a place is in its word, and there is none behind it. */
function endsWord(codes, place) {
  let before = place - 1;
  while (before >= 0 && isIgnorable(codes[before])) before--;
  if (before < 0 || !isCased(codes[before])) return false;
  let behind = place + 1;
  while (behind < codes.length && isIgnorable(codes[behind])) behind++;
  return behind === codes.length || !isCased(codes[behind]);
}

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
  const all = codesOf(text);
  const codes = [];
  const starts = [];
  const ends = [];
  let start = 0;
  for (let place = 0; place < all.length; place++) {
    const end = start + (all[place] > 0xffff ? 2 : 1);
    for (const code of lowered(all, place)) {
      codes.push(code);
      starts.push(start);
      ends.push(end);
    }
    start = end;
  }
  return Array.from(codes.map(kindOf).join("").matchAll(pattern), ({ index, 0: { length } }) => ({
    token: codes.slice(index, index + length).map((code) => String.fromCodePoint(code)).join(""),
    start: starts[index],
    end: ends[index + length - 1],
  }));
}
