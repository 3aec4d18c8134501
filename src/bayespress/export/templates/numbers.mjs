/** Reads what is packed in a base64 string, piece by piece. */
class Reader {
  constructor(base64) {
    this.bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    this.place = 0;
  }

  /** All numbers to the end: seven bits a byte, the lowest first. */
  *numbers() {
    while (this.place < this.bytes.length) {
      let number = 0;
      let shift = 0;
      let byte;
      do {
        byte = this.bytes[this.place++];
        number |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte & 0x80);
      yield number;
    }
  }

  /** The places of the ones in the next `count` bits. */
  ones(count) {
    const bits = this.bytes.subarray(this.place, (this.place += Math.ceil(count / 8)));
    const places = [];
    for (let k = 0; k < count; k++) {
      if ((bits[k >> 3] >> (k & 7)) & 1) places.push(k);
    }
    return places;
  }

  /** The next `count` numbers in single precision; a sparse block has only those that are not 0. */
  array(count) {
    const isSparse = this.bytes[this.place++] === 1;
    const array = new Float32Array(count);
    const stored = isSparse ? this.ones(count) : array.keys();
    const view = new DataView(this.bytes.buffer);
    for (const k of stored) {
      array[k] = view.getFloat32(this.place, true);
      this.place += 4;
    }
    return array;
  }
}

/** The product of a matrix, row by row, and a vector, plus a bias. */
function affine(weight, bias, vector) {
  const size = vector.length;
  const result = bias.slice();
  for (let row = 0; row < result.length; row++) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += weight[row * size + k] * vector[k];
    result[row] += sum;
  }
  return result;
}

/** Logits as probabilities. */
function softmax(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return Array.from(exponentials, (value) => Math.fround(value / sum));
}
