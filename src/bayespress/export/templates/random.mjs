const MASK = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** The numbers of numpy's `Generator(PCG64(seed)).random()`. */
class PCG64 {
  constructor(seed) {
    const [high, low, incrementHigh, incrementLow] = seedWords(seed);
    this.increment = ((((incrementHigh << 64n) | incrementLow) << 1n) | 1n) & MASK;
    this.state = this.increment;
    this.state = (this.state + ((high << 64n) | low)) & MASK;
    this.advance();
  }

  advance() {
    this.state = (this.state * MULTIPLIER + this.increment) & MASK;
  }

  /** The next number, at least 0 and below 1. */
  random() {
    this.advance();
    const folded = BigInt.asUintN(64, (this.state >> 64n) ^ this.state);
    const turn = this.state >> 122n;
    const turned = BigInt.asUintN(64, (folded >> turn) | (folded << (64n - turn)));
    return Number(turned >> 11n) / 2 ** 53;
  }
}

/** Four numbers of 64 bits that numpy's SeedSequence makes of a seed. */
function seedWords(seed) {
  const pool = poolOf(entropyOf(seed));
  const hash = hasher(0x8b51f9dd, 0x58f38ded);
  const words = Array.from({ length: 8 }, (_, k) => BigInt(hash(pool[k % 4])));
  return [0, 2, 4, 6].map((k) => words[k] | (words[k + 1] << 32n));
}

/** A seed as numbers of 32 bits, the lowest first. */
function entropyOf(seed) {
  const words = [];
  for (let rest = BigInt(seed); rest > 0n; rest >>= 32n) words.push(Number(rest & 0xffffffffn));
  return words;
}

function poolOf(entropy) {
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = [0, 1, 2, 3].map((k) => hash(entropy[k] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }
  for (const word of entropy.slice(4)) {
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(word));
  }
  return pool;
}

function hasher(constant, multiplier) {
  return (value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, multiplier);
    return fold(Math.imul(mixed, constant));
  };
}

function mix(a, b) {
  return fold(Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b));
}

function fold(value) {
  return (value ^ (value >>> 16)) >>> 0;
}
