const END = "<eos>";
const UNKNOWN = "<unk>";
const NO_SPACE_BEFORE = new Set(".,;:!?)]}%…”’");
const NO_SPACE_AFTER = new Set("([{“‘$#");
const isByCharacter = MODEL.level === "char";
// What a token is, in the letters of kindOf: n is a line break.
const WORDS = MODEL.tokenizer === "words" ? /w+(?:'w+)*|n|[^wsn]/g : /n|[^sn]+/g;
const TOKEN = isByCharacter ? /./g : WORDS;

/**
 * All tokens that the model can write. At word level `<eos>` ends a line and `<unk>` stands for the
 * words that the model does not know.
 * @type {string[]}
 */
export const tokens = MODEL.words;

const IDS = new Map(tokens.map((token, id) => [token, id]));
const unknown = IDS.get(UNKNOWN);
const reader = new Reader(MODEL.data);
const live = reader.ones(4 * MODEL.hidden);
const inputs = reader.ones(tokens.length);
const INPUT_OF = new Map(inputs.map((id, input) => [id, input]));
const lstm = new LSTM(reader, { live, inputs: inputs.length, hidden: MODEL.hidden });
const outputWeight = reader.array(tokens.length * MODEL.hidden);
const outputBias = reader.array(tokens.length);

/**
 * Find the tokens of a text.
 * @param {string} text
 * @returns {{token: string, start: number, end: number, known: boolean, kept: boolean}[]}
 *   `text.slice(start, end)` became the token; `known` tells whether the model can write it, `kept`
 *   whether the network reads it, or sees no more than that there is one.
 */
export function tokenize(text) {
  return split(text, TOKEN).map((token) => {
    const name = token.token === "\n" && !isByCharacter ? END : token.token;
    const known = IDS.has(name);
    return { ...token, token: name, known, kept: INPUT_OF.has(known ? IDS.get(name) : unknown) };
  });
}

/**
 * Give every token's probability to come after a text, which may be empty.
 * @param {string} text
 * @returns {number[]} In the order of `tokens`.
 * @throws {RangeError} If the model does not know a token, and has no `<unk>` for it.
 */
export function probabilities(text) {
  return softmax(logitsOf(read(startOf(encode(text)), lstm.start())));
}

/**
 * Name the most probable tokens to come after a text.
 * @param {string} text
 * @param {number} [count]
 * @returns {{token: string, probability: number}[]} The most probable one first.
 * @throws {RangeError} As in `probabilities`.
 */
export function likeliest(text, count = 5) {
  const found = probabilities(text).map((probability, id) => ({ token: tokens[id], probability }));
  return found.sort((a, b) => b.probability - a.probability).slice(0, count);
}

/**
 * Go on with a text. Equal seeds give equal texts, those of the Python package; `<unk>` is never
 * written.
 * @param {string} prompt May be empty.
 * @param {object} [options]
 * @param {number} [options.length] How many tokens to write; `Infinity` never ends.
 * @param {number} [options.temperature] 0 takes the most probable token, 1 follows the model's
 *   probabilities, more evens them out.
 * @param {number | bigint} [options.seed]
 * @returns {Generator<string>} Pieces of text, one for each token, each made when it is asked for.
 *   Joined behind the prompt they are the whole text.
 * @throws {RangeError} As in `probabilities`, or if an option is negative or not a number, or if
 *   the model knows no token but `<unk>`.
 */
export function generate(prompt, { length = 100, temperature = 1, seed = 0 } = {}) {
  if (!(length >= 0)) throw new RangeError(`length must be at least 0, got ${length}`);
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new RangeError(`temperature must be finite and at least 0, got ${temperature}`);
  }
  if (!(seed >= 0)) throw new RangeError(`seed must be at least 0, got ${seed}`);
  if (tokens.length === 1 && unknown === 0) {
    throw new RangeError(`the model knows no token but ${UNKNOWN}: it cannot write`);
  }
  return write(encode(prompt), length, temperature, new PCG64(seed));
}

/** Read what is there, choose a token, and so on with that one. */
function* write(ids, length, temperature, random) {
  let before = ids.length ? tokens[ids.at(-1)] : END;
  let pending = startOf(ids);
  let state = lstm.start();
  for (let written = 0; written < length; written++) {
    state = read(pending, state);
    const id = choose(logitsOf(state), temperature, random);
    yield isByCharacter ? tokens[id] : pieceOf(before, tokens[id]);
    before = tokens[id];
    pending = [id];
  }
}

/** Choose by the rule of the Python package: its sums, in its order, and its random numbers. */
function choose(logits, temperature, random) {
  const scores = Float64Array.from(logits);
  if (unknown !== undefined) scores[unknown] = -Infinity;
  const largest = scores.reduce((a, b) => Math.max(a, b));
  if (temperature === 0) return scores.indexOf(largest);
  let sum = 0;
  const sums = scores.map((score) => (sum += Math.exp((score - largest) / temperature)));
  const goal = random.random() * sum;
  return sums.findIndex((value) => value > goal);
}

function pieceOf(before, token) {
  if (token === END) return "\n";
  const isJoined =
    before === END ||
    (MODEL.tokenizer === "words" && (NO_SPACE_BEFORE.has(token) || NO_SPACE_AFTER.has(before)));
  return isJoined ? token : ` ${token}`;
}

function encode(text) {
  const found = tokenize(text);
  const strange = new Set(found.filter(({ known }) => !known).map(({ token }) => token));
  if (strange.size && unknown === undefined) {
    const names = [...strange].slice(0, 10).map((token) => JSON.stringify(token)).join(", ");
    const more = strange.size > 10 ? ` and ${strange.size - 10} more` : "";
    throw new RangeError(`the model does not know ${names}${more}: take that out of the prompt`);
  }
  return found.map(({ token }) => IDS.get(token) ?? unknown);
}

/** What is read before the first choice: an empty text counts as the end of a line. */
function startOf(ids) {
  const end = IDS.get(isByCharacter ? "\n" : END);
  return ids.length || end === undefined ? ids : [end];
}

function read(ids, state) {
  return ids.reduce((before, id) => lstm.step(projection(INPUT_OF.get(id)), before), state);
}

/** What an input adds to the live gates where it alone is 1; no input adds nothing. */
function projection(input) {
  if (input === undefined) return lstm.liveBias;
  return lstm.liveBias.map((bias, row) => bias + lstm.weightIh[row * inputs.length + input]);
}

function logitsOf({ hidden }) {
  return affine(outputWeight, outputBias, hidden);
}
