const isWord = setOf(MODEL.characters.word);
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

/** The characters of a text, lowercased if the model wants it so, and what became each. */
function* characters(text) {
  let end;
  for (let start = 0; start < text.length; start = end) {
    const code = text.codePointAt(start);
    end = start + sizeOf(code);
    for (const lower of lowered(text, start, code)) yield { code: lower, start, end };
  }
}

/** How many places of a string a code point takes. */
function sizeOf(code) {
  return code > 0xffff ? 2 : 1;
}

/** The lowercase of the code point at a place, as a list. */
function lowered(text, place, code) {
  if (code === SIGMA && endsWord(text, place)) return [FINAL_SIGMA];
  return LOWER.get(code) ?? [code];
}

/** Whether the next cased letter before a place is in its word, and there is none behind it. */
function endsWord(text, place) {
  let before = place;
  let code;
  do {
    code = codeBefore(text, before);
    before -= sizeOf(code);
  } while (isIgnorable(code));
  if (!isCased(code)) return false;
  let behind = place + 1;
  while (isIgnorable((code = text.codePointAt(behind)))) behind += sizeOf(code);
  return !isCased(code);
}

/** The code point that ends before a place; not a number at the beginning. */
function codeBefore(text, place) {
  const last = text.charCodeAt(place - 1);
  // A low surrogate: the half of a pair, if the other half is there.
  const whole = (last & 0xfc00) === 0xdc00 ? text.codePointAt(place - 2) : last;
  return whole > 0xffff ? whole : last;
}
