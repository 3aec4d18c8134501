const ROWS = rowsOfWords();

/**
 * Names of the classes.
 * @type {string[]}
 */
export const labels = MODEL.labels;

/**
 * How many tokens of a text are read.
 * @type {number}
 */
export const maxLength = MODEL.max_length;

/**
 * Tell how much each word moved an answer. The effect of a word is the log odds of the answer, had
 * the text ended behind the word, minus those had it ended before it: above 0, it speaks for the
 * answer. Effects add up to what the whole text changed.
 * @param {string} text
 * @param {string} [label] The answer; the most probable class where it is left out.
 * @returns {{token: string, start: number, end: number, read: boolean, kept: boolean,
 *   effect: number, probability: number}[]} All words in their order. `text.slice(start, end)`
 *   became the token; `read` tells whether it is among the first `maxLength` and not left out, else
 *   it has no effect; `kept` whether the network has a vector for it; `probability` is the answer's
 *   once the text up to this word is read.
 */
export function explain(text, label) {
  const tokens = tokensOf(text);
  const logits = readEach(rowsOf(text)).map(logitsOf);
  const answer = label === undefined ? best(logits.at(-1)) : labels.indexOf(label);
  if (answer < 0) throw new RangeError(`there is no class ${JSON.stringify(label)}`);
  const odds = oddsAtWords(tokens, logits.map((values) => logOdds(values, answer)));
  let step = 0;
  return tokens.map((token) => {
    const before = odds[step];
    if (token.read) step++;
    const probability = 1 / (1 + Math.exp(-odds[step]));
    return { ...token, effect: odds[step] - before, probability };
  });
}

/** The log odds before the first word that is read and after each; what follows is the last's. */
function oddsAtWords(tokens, odds) {
  const first = MODEL.prefix === null ? 0 : 1;
  const count = tokens.filter((token) => token.read).length;
  return [...odds.slice(first, first + count), odds.at(-1)];
}

/** The row of each step of the network. */
function rowsOf(text) {
  const rows = MODEL.prefix === null ? [] : [MODEL.prefix];
  for (const { token } of words(text)) {
    if (rows.length >= maxLength) break;
    const row = rowOf(token);
    if (row !== null) rows.push(row);
  }
  if (MODEL.suffix !== null && rows.length < maxLength) rows.push(MODEL.suffix);
  return rows;
}

/** All words of a text, also those behind the last one that is read. */
function tokensOf(text) {
  let steps = MODEL.prefix === null ? 0 : 1;
  return Array.from(words(text), (token) => {
    const row = rowOf(token.token);
    const isRead = row !== null && steps < maxLength;
    if (isRead) steps++;
    return { ...token, read: isRead, kept: row > 0 };
  });
}

/** The row of a word; null where it takes no step. */
function rowOf(word) {
  return ROWS.get(word) ?? MODEL.default;
}

function largest(values) {
  return values.indexOf(Math.max(...values));
}

/** The row of each word, of pairs that say how far the rows rise, and for how many words. */
function rowsOfWords() {
  const rows = new Map();
  let [word, row] = [0, 0];
  for (const [step, count] of MODEL.word_rows) {
    for (let k = 0; k < count; k++) rows.set(MODEL.words[word++], (row += step));
  }
  return rows;
}
