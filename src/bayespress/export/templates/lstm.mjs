/**
 * The recurrent layer. Of the gates i, f, g, o of all neurons, those that are live are computed,
 * the others are constants.
 */
class LSTM {
  constructor(reader, { live, inputs, hidden }) {
    this.live = live;
    this.hidden = hidden;
    this.weightIh = reader.array(live.length * inputs);
    this.weightHh = reader.array(live.length * hidden);
    const bias = reader.array(4 * hidden);
    this.liveBias = Float32Array.from(live, (gate) => bias[gate]);
    this.constants = bias.map((value, gate) => this.activate(value, gate));
  }

  /** The state before the first step. */
  start() {
    return { hidden: new Float32Array(this.hidden), cell: new Float32Array(this.hidden) };
  }

  /** What a word's vector adds to the live gates. */
  project(vector) {
    return affine(this.weightIh, this.liveBias, vector);
  }

  /** The state after one more step; the one before stays as it is. */
  step(projected, { hidden, cell }) {
    const size = this.hidden;
    const gates = this.constants.slice();
    affine(this.weightHh, projected, hidden).forEach((value, k) => {
      gates[this.live[k]] = this.activate(value, this.live[k]);
    });
    const next = this.start();
    for (let k = 0; k < size; k++) {
      const [i, f, g, o] = [gates[k], gates[size + k], gates[2 * size + k], gates[3 * size + k]];
      next.cell[k] = f * cell[k] + i * g;
      next.hidden[k] = o * Math.tanh(next.cell[k]);
    }
    return next;
  }

  activate(value, gate) {
    if (Math.floor(gate / this.hidden) === 2) return Math.tanh(value);
    if (MODEL.gate_activation === "sigmoid") return 0.5 + 0.5 * Math.tanh(0.5 * value);
    return Math.min(Math.max(0.2 * value + 0.5, 0), 1);
  }
}
