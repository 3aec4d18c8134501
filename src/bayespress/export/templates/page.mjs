const EXAMPLE = @EXAMPLE@;
const find = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)}%`;
const input = find("text");

/** An element with properties, and text or other elements in it: never HTML. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Rows of a name, a bar and a number; bars are filled by shares between 0 and 1. */
function bars(rows, caption) {
  const list = element("table", { className: "bars" }, element("caption", {}, caption));
  for (const { name, share, number, kind = "for", marks = [] } of rows) {
    const bar = element("div", { className: `bar ${kind}` });
    bar.style.width = `${100 * share}%`;
    list.append(
      element(
        "tr",
        {},
        element("th", { scope: "row", lang: "" }, ...marks, element("bdi", {}, name)),
        element("td", { className: "track", ariaHidden: "true" }, bar),
        element("td", { className: "number" }, number),
      ),
    );
  }
  return list;
}

/** A text as nodes: what `nodeOf` makes of each token, and what is between them as it is. */
function marked(text, tokens, nodeOf) {
  const nodes = [];
  let place = 0;
  for (const token of tokens) {
    nodes.push(text.slice(place, token.start), nodeOf(token, text.slice(token.start, token.end)));
    place = token.end;
  }
  return [...nodes, text.slice(place)];
}

/** Do some work soon, and only once however often it is asked for. */
function soon(work, milliseconds) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}

/** Take the settings that stand behind # in the address, and start. */
function begin(start) {
  const read = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    input.value = given.get("text") ?? EXAMPLE;
    start(given);
  };
  addEventListener("hashchange", read);
  read();
}
