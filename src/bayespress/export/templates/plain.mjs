const reader = new Reader(MODEL.data);
const live = reader.ones(@GATES@ * MODEL.hidden);
const embedding = reader.array(MODEL.rows * MODEL.input);
const cell = new @CELL@(reader, { live, inputs: MODEL.input, hidden: MODEL.hidden });
const outputWeight = reader.array(MODEL.outputs * MODEL.hidden);
const outputBias = reader.array(MODEL.outputs);
const projected = [];

const read = (rows) => readEach(rows).at(-1);

/** The states of the network before the first step and after each. */
function readEach(rows) {
  const states = [cell.start()];
  for (const row of rows) states.push(cell.step(projection(row), states.at(-1)));
  return states;
}

/** What a row adds to the gates; row 0, that of pruned words, is the zero vector. */
function projection(row) {
  const size = MODEL.input;
  return (projected[row] ??= cell.project(
    row ? embedding.subarray((row - 1) * size, row * size) : new Float32Array(size),
  ));
}
