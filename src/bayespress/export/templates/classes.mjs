/**
 * Classify a text.
 * @param {string} text
 * @returns {{label: string, probabilities: number[]}} The most probable class, and the
 *   probabilities in the order of `labels`.
 */
export function predict(text) {
  const probabilities = softmax(logitsOf(read(rowsOf(text))));
  return { label: labels[largest(probabilities)], probabilities };
}

function logitsOf({ hidden }) {
  const logits = affine(outputWeight, outputBias, hidden);
  // One output is the log odds of the second class: the first one's logit is 0.
  return logits.length === 1 ? Float32Array.of(0, logits[0]) : logits;
}

const best = (logits) => largest(softmax(logits));

/** Log odds of a class: its logit minus the log of the sum of the others' exponentials. */
function logOdds(logits, answer) {
  const others = Array.from(logits).filter((_, k) => k !== answer);
  const most = Math.max(...others);
  return logits[answer] - most - Math.log(others.reduce((sum, x) => sum + Math.exp(x - most), 0));
}
