const hasTwo = labels.length === 2;

/** The class that the marks speak of: the second of two, or the answer. */
const subjectOf = (answer) => (hasTwo ? labels[1] : answer);

function showAnswer({ label, probabilities }) {
  const probability = ` ${percent(Math.max(...probabilities))}`;
  find("answer").replaceChildren(element("strong", { dir: "auto" }, label), probability);
  find("bars").replaceChildren(hasTwo ? balance(probabilities) : classes(probabilities));
  find("subject").textContent = `“${subjectOf(label)}”`;
  find("for").textContent = hasTwo ? `toward ${labels[1]}` : `for ${label}`;
  find("against").textContent = hasTwo ? `toward ${labels[0]}` : `against ${label}`;
}

/** One bar for two classes, which share it. */
function balance(probabilities) {
  const parts = ["against", "for"].map((kind, k) => {
    const part = element("div", { className: `bar ${kind}` });
    part.style.width = `${100 * probabilities[k]}%`;
    return part;
  });
  const name = (k) => element("span", { dir: "auto" }, `${labels[k]} ${percent(probabilities[k])}`);
  const bar = element("div", { className: "balance", ariaHidden: "true" }, ...parts);
  return element("div", {}, bar, element("div", { className: "ends" }, name(0), name(1)));
}

function classes(probabilities) {
  const rows = labels
    .map((name, k) => ({ name, share: probabilities[k], number: percent(probabilities[k]) }))
    .sort((a, b) => b.share - a.share);
  const more = rows.length > SHOWN ? `, the first ${SHOWN} of ${rows.length}` : "";
  return bars(rows.slice(0, SHOWN), `Probability of each class${more}`);
}

function show() {
  const answer = predict(input.value);
  const subject = subjectOf(answer.label);
  showAnswer(answer);
  showWords(input.value, explain(input.value, subject), subject);
}

input.addEventListener("input", soon(show, @PAUSE@));
begin(show);
