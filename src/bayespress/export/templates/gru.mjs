/**
 * The recurrent layer, a gated recurrent unit. Of the gates r, z, n of all neurons, those that are
 * live have weights. The reset gate r bears on what the gate n reads of the state.
 */
class GRU {
  constructor(reader, { live, inputs, hidden }) {
    this.live = live;
    this.hidden = hidden;
    this.weightIh = reader.array(live.length * inputs);
    this.weightHh = reader.array(live.length * hidden);
    const bias = reader.array(3 * hidden);
    this.hiddenBias = reader.array(hidden);
    this.liveBias = Float32Array.from(live, (gate) => bias[gate]);
    this.noBias = new Float32Array(live.length);
    this.constants = bias.map((x, gate) => (gate < 2 * hidden ? this.activate(x) : x));
  }

  /** The state before the first step. */
  start() {
    return { hidden: new Float32Array(this.hidden) };
  }

  /** What a word's vector adds to the live gates. */
  project(vector) {
    return affine(this.weightIh, this.liveBias, vector);
  }

  /** The state after one more step; the one before stays as it is. */
  step(projected, { hidden }) {
    const size = this.hidden;
    const gates = this.constants.slice();
    const products = this.hiddenBias.slice(); // with the state, in the gate n
    affine(this.weightHh, this.noBias, hidden).forEach((value, k) => {
      const gate = this.live[k];
      const isNew = gate >= 2 * size;
      gates[gate] = isNew ? projected[k] : this.activate(projected[k] + value);
      if (isNew) products[gate - 2 * size] += value;
    });
    const next = this.start();
    for (let k = 0; k < size; k++) {
      const [r, z, n] = [gates[k], gates[size + k], gates[2 * size + k]];
      next.hidden[k] = (1 - z) * Math.tanh(n + r * products[k]) + z * hidden[k];
    }
    return next;
  }

  activate(value) {
    if (MODEL.gate_activation === "sigmoid") return 0.5 + 0.5 * Math.tanh(0.5 * value);
    return Math.min(Math.max(0.2 * value + 0.5, 0), 1);
  }
}
