const WORD = /w+/g;
const ROWS = rowsOfWords();
const reader = new Reader(MODEL.data);
const live = reader.ones(4 * MODEL.hidden);
const embedding = reader.array(MODEL.rows * MODEL.input);
const lstm = new LSTM(reader, { live, inputs: MODEL.input, hidden: MODEL.hidden });
const outputWeight = reader.array(MODEL.outputs * MODEL.hidden);
const outputBias = reader.array(MODEL.outputs);
const projected = [];

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
 * Classify a text.
 * @param {string} text
 * @returns {{label: string, probabilities: number[]}} The most probable class, and the
 *   probabilities in the order of `labels`.
 */
export function predict(text) {
  const probabilities = softmax(logitsOf(read(encode(text).rows).at(-1)));
  return { label: labels[largest(probabilities)], probabilities };
}

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
  const { tokens, rows } = encode(text);
  const logits = read(rows).map(logitsOf);
  const answer = label === undefined ? largest(softmax(logits.at(-1))) : labels.indexOf(label);
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

/** The words of a text, and the row of each step of the network. */
function encode(text) {
  const rows = MODEL.prefix === null ? [] : [MODEL.prefix];
  const tokens = split(text, WORD).map((token) => {
    const row = ROWS.get(token.token) ?? MODEL.default;
    const isRead = row !== null && rows.length < maxLength;
    if (isRead) rows.push(row);
    return { ...token, read: isRead, kept: row > 0 };
  });
  if (MODEL.suffix !== null && rows.length < maxLength) rows.push(MODEL.suffix);
  return { tokens, rows };
}

/** The states of the network before the first step and after each. */
function read(rows) {
  const states = [lstm.start()];
  for (const row of rows) states.push(lstm.step(projection(row), states.at(-1)));
  return states;
}

/** What a row adds to the gates; row 0, that of pruned words, is the zero vector. */
function projection(row) {
  const size = MODEL.input;
  projected[row] ??= lstm.project(
    row ? embedding.subarray((row - 1) * size, row * size) : new Float32Array(size),
  );
  return projected[row];
}

function logitsOf({ hidden }) {
  const logits = affine(outputWeight, outputBias, hidden);
  // One output is the log odds of the second class: the first one's logit is 0.
  return logits.length === 1 ? Float32Array.of(0, logits[0]) : logits;
}

/** Log odds of a class: its logit minus the log of the sum of the others' exponentials. */
function logOdds(logits, answer) {
  const others = Array.from(logits).filter((_, k) => k !== answer);
  const most = Math.max(...others);
  return logits[answer] - most - Math.log(others.reduce((sum, x) => sum + Math.exp(x - most), 0));
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
