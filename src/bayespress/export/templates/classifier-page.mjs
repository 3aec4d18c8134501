const SHOWN = 8; // words in the ranking, and classes
const WEAK = 0.1; // effects below are not marked
const signed = (effect) => `${effect < 0 ? "−" : "+"}${Math.abs(effect).toFixed(2)}`;
const kindOfEffect = (effect) => (effect < 0 ? "against" : "for");

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
