/**
 * Find the labels of a text: it may have several, or none.
 * @param {string} text
 * @returns {{label: string, labels: string[], probabilities: number[]}} The most probable label,
 *   all labels that have a probability of at least 0.5, and the probabilities in the order of the
 *   module's `labels`, each for itself.
 */
export function predict(text) {
  const probabilities = probabilitiesOf(logitsOf(read(rowsOf(text))));
  return {
    label: labels[largest(probabilities)],
    labels: labels.filter((_, k) => probabilities[k] >= 0.5),
    probabilities,
  };
}

/** Each output is the log odds of a label. */
function logitsOf({ hidden }) {
  return affine(outputWeight, outputBias, hidden);
}

function probabilitiesOf(logits) {
  return Array.from(logits, (logit) => softmax([0, logit])[1]);
}

const best = (logits) => largest(probabilitiesOf(logits));

function logOdds(logits, answer) {
  return logits[answer];
}
