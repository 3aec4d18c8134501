const ENOUGH = 0.5; // from this probability on a label is given
const FEW = 12; // labels that are shown at once
const choice = find("label"); // of the label that the marks speak of: the first one is the answer

function showAnswer(rows) {
  const given = rows.filter(({ isGiven }) => isGiven);
  const most = Math.max(FEW, given.length);
  const names = given.map(({ name }) => element("strong", { dir: "auto" }, name));
  const answer = names.flatMap((name, k) => (k ? [", ", name] : [name]));
  find("answer").replaceChildren(...(given.length ? answer : ["No label"]));
  const [first, rest] = [rows.slice(0, most), rows.slice(most)];
  const table = bars(first, "Probability of each label, ✓ from 50% on");
  find("bars").replaceChildren(table, ...(rest.length ? [more(rest)] : []));
}

/** The labels that are the least probable, for those who ask for them. */
function more(rows) {
  const open = find("bars").querySelector("details")?.open ?? false;
  const count = `${rows.length} more, each at most ${rows[0].number}`;
  const summary = element("summary", {}, count);
  return element("details", { open }, summary, bars(rows, "The other labels"));
}

/** Labels by falling probability. */
function ranked(probabilities) {
  const rows = labels.map((name, k) => {
    const isGiven = probabilities[k] >= ENOUGH;
    const mark = element("span", { className: "given" }, isGiven ? "✓" : "");
    const number = percent(probabilities[k]);
    const kind = isGiven ? "for" : "below";
    return { name, share: probabilities[k], number, kind, isGiven, marks: [mark] };
  });
  return rows.sort((a, b) => b.share - a.share);
}

function show() {
  const { label, probabilities } = predict(input.value);
  const subject = labels[choice.selectedIndex - 1] ?? label;
  showAnswer(ranked(probabilities));
  choice.options[0].text = `the most probable one: ${label}`;
  find("subject").textContent = `“${subject}”`;
  find("for").textContent = `for ${subject}`;
  find("against").textContent = `against ${subject}`;
  showWords(input.value, explain(input.value, subject), subject);
}

choice.append(...["", ...labels].map((name) => new Option(name)));
choice.addEventListener("input", show);
input.addEventListener("input", soon(show, @PAUSE@));
begin((given) => {
  choice.selectedIndex = labels.indexOf(given.get("label")) + 1;
  show();
});
