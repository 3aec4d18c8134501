const SHOWN = 8; // words in the ranking, and classes
const WEAK = 0.1; // effects below are not marked
const hasTwo = labels.length === 2;

/** The class that the marks speak of: the second of two, or the answer. */
const subjectOf = (answer) => (hasTwo ? labels[1] : answer);
const signed = (effect) => `${effect < 0 ? "−" : "+"}${Math.abs(effect).toFixed(2)}`;
const kindOfEffect = (effect) => (effect < 0 ? "against" : "for");

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

function showWords(text, tokens, subject) {
  const nodes = marked(text, tokens, (token, word) => nodeOf(token, word, subject));
  find("words").replaceChildren(...nodes);
  const unread = tokens.filter(({ read }) => !read).length;
  find("unread").hidden = unread === 0;
  find("unread").textContent = `${unread} of ${tokens.length} words, struck through, are not read`;
  showRanking(text, tokens, subject);
}

function nodeOf({ read, kept, effect }, word, subject) {
  if (!read) return element("s", { className: "pruned" }, word);
  const node = element(kept ? "b" : "span", { className: kept ? "" : "pruned" }, word);
  if (Math.abs(effect) < WEAK) return node;
  node.classList.add(kindOfEffect(effect));
  node.title = `${signed(effect)} for ${subject}`;
  node.style.setProperty("--strength", (1 - Math.exp(-Math.abs(effect))).toFixed(3));
  return node;
}

/** The strongest words with their numbers: for those who cannot see or point at the marks. */
function showRanking(text, tokens, subject) {
  const found = tokens
    .filter(({ effect }) => Math.abs(effect) >= WEAK)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .slice(0, SHOWN);
  const most = Math.max(...found.map(({ effect }) => Math.abs(effect)));
  const rows = found.map(({ start, end, effect }) => ({
    name: text.slice(start, end),
    share: Math.abs(effect) / most,
    number: signed(effect),
    kind: kindOfEffect(effect),
  }));
  const caption = `The strongest words: + speaks for ${subject}, − against it`;
  const silence = element("p", { className: "note" }, silenceOf(tokens));
  find("ranking").replaceChildren(found.length ? bars(rows, caption) : silence);
}

/** Why no word is in the ranking. */
function silenceOf(tokens) {
  if (!tokens.some(({ read, kept }) => read && kept)) {
    return "No kept word is in the text: this is what the model answers by itself.";
  }
  return "No word moved the answer much.";
}

function show() {
  const answer = predict(input.value);
  const subject = subjectOf(answer.label);
  showAnswer(answer);
  showWords(input.value, explain(input.value, subject), subject);
}

input.addEventListener("input", soon(show, 30));
begin(show);
