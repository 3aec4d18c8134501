const reader = new Reader(MODEL.data);
const sizes = MODEL.layers ?? [[MODEL.hidden]];
const live = sizes.map((layer) => layer.map((hidden) => reader.ones(@GATES@ * hidden)));
const embedding = reader.array(MODEL.rows * MODEL.input);
let width = MODEL.input; // of what the next layer reads
// From the embedding upwards. A layer's first cell reads forwards; a second one, backwards.
const layers = sizes.map((layer, k) => {
  const cells = layer.map(
    (hidden, direction) => new @CELL@(reader, { live: live[k][direction], inputs: width, hidden }),
  );
  width = layer.reduce((sum, hidden) => sum + hidden, 0);
  return cells;
});
const outputWeight = reader.array(MODEL.outputs * width);
const outputBias = reader.array(MODEL.outputs);
const projected = layers[0].map(() => []);
const hasBackward = layers.some((layer) => layer.length === 2);

/** What becomes of a cell's states at all tokens, of which there is at least one. */
const POOLINGS = {
  last: (states, direction) => states.at(direction ? 0 : -1),
  // In double precision: over many tokens, the order of single sums would show.
  mean: (states) =>
    folded(states, Float64Array, (a, b) => a + b).map((sum) => sum / states.length),
  max: (states) => folded(states, Float32Array, Math.max),
};
const pooling = POOLINGS[MODEL.pooling ?? "last"];

/** What the output layer reads at the end of a text. */
function read(rows) {
  return pooled(statesOf(rows));
}

/** The same, had the text ended before the first step, and after each. */
function readEach(rows) {
  const ends = Array.from({ length: rows.length + 1 }, (_, end) => end);
  // A cell that reads backwards begins anew at each end; others only stop earlier.
  if (hasBackward) return ends.map((end) => read(rows.slice(0, end)));
  const states = statesOf(rows);
  return ends.map((end) => pooled(states.map((some) => some.slice(0, end))));
}

/** The states of each cell of the last layer at each token. */
function statesOf(rows) {
  let states;
  let project = (cell, direction) => rows.map((row) => projection(row, cell, direction));
  for (const layer of layers) {
    states = layer.map((cell, direction) => walk(cell, project(cell, direction), direction));
    const below = states;
    project = (cell) => rows.map((_, k) => cell.project(joined(below.map((some) => some[k]))));
  }
  return states;
}

/** The state at each token of a text that is read forwards or, in direction 1, backwards. */
function walk(cell, inputs, direction) {
  const states = [];
  let state = cell.start();
  for (const input of direction ? [...inputs].reverse() : inputs) {
    state = cell.step(input, state);
    states.push(state.hidden);
  }
  return direction ? states.reverse() : states;
}

/** Zero for a text without tokens. */
function pooled(states) {
  const parts = layers.at(-1).map((cell, direction) => {
    const all = states[direction];
    return all.length ? pooling(all, direction) : cell.start().hidden;
  });
  return { hidden: joined(parts) };
}

function folded(states, Numbers, join) {
  const all = Numbers.from(states[0]);
  for (const state of states.slice(1)) {
    for (let k = 0; k < all.length; k++) all[k] = join(all[k], state[k]);
  }
  return all;
}

function joined(arrays) {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const array of arrays) {
    all.set(array, place);
    place += array.length;
  }
  return all;
}

/** What a row adds to a cell of the first layer; row 0, of pruned words, is the zero vector. */
function projection(row, cell, direction) {
  const size = MODEL.input;
  return (projected[direction][row] ??= cell.project(
    row ? embedding.subarray((row - 1) * size, row * size) : new Float32Array(size),
  ));
}
