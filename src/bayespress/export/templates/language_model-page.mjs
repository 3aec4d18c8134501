const AT_ONCE = isByCharacter ? 100 : 25; // tokens for one push of the button
const PAUSE = 15; // milliseconds between two tokens, so that one can see it write
let writer = null;
let written = "";
let writing;

/** A token's name where it cannot be seen. */
function nameOf(token) {
  if (token === END || token === "\n") return "⏎ end of line";
  if (token === UNKNOWN && !isByCharacter) return "(an unknown word)";
  return token === " " ? "␣ space" : token;
}

/** Do what may meet a text that the model cannot read, and say so. */
function attempt(work) {
  const problem = find("problem");
  try {
    problem.hidden = true;
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
    return null;
  }
}

function showText() {
  const nodes = marked(input.value, tokenize(input.value), ({ kept }, word) =>
    element(kept ? "b" : "span", { className: kept ? "" : "pruned" }, word),
  );
  find("words").replaceChildren(...nodes, element("span", { className: "written" }, written));
}

function showNext() {
  const found = attempt(() => likeliest(input.value + written)) ?? [];
  const most = Math.max(...found.map(({ probability }) => probability));
  const rows = found.map(({ token, probability }) => ({
    name: nameOf(token),
    share: probability / most,
    number: percent(probability),
  }));
  find("next").replaceChildren(bars(rows, "Probability"));
}

/** Forget what was written: the text or a setting is another one. */
function startAgain() {
  clearTimeout(writing);
  [writer, written] = [null, ""];
  find("shown").textContent = Number(find("temperature").value).toFixed(2);
  showText();
  soonNext();
}

function writeOn(count = AT_ONCE) {
  const [temperature, seed] = [Number(find("temperature").value), Number(find("seed").value)];
  writer ??= attempt(() => generate(input.value, { length: Infinity, temperature, seed }));
  if (writer === null) return;
  clearTimeout(writing);
  find("words").ariaBusy = "true";
  writePiece(count);
}

function writePiece(left) {
  if (left > 0) {
    written += writer.next().value;
    showText();
    writing = setTimeout(writePiece, PAUSE, left - 1);
  } else {
    find("words").ariaBusy = "false";
    showNext();
  }
}

const soonNext = soon(showNext, 120);
for (const id of ["text", "temperature", "seed"]) find(id).addEventListener("input", startAgain);
find("write").addEventListener("click", () => writeOn());
find("clear").addEventListener("click", startAgain);
begin((given) => {
  for (const id of ["temperature", "seed"]) find(id).value = given.get(id) ?? find(id).defaultValue;
  startAgain();
  if (given.has("write")) writeOn(Number(given.get("write")));
});
