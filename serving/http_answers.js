"use strict";
// The page of serve.py, first half: an answer as people want to see it. Texts
// enter the page as text nodes only; nothing reads them as HTML.

const MASK = "[MASK]";
// Rows of a table before the rest is folded away.
const MOST_ROWS = 12;
const NUM_COLOURS = 6;
const NULL_ODDS = "Score of no answer, less that of the best one";

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A user's text, which may run from right to left.
const bdi = (text) => make("bdi", { dir: "auto" }, text);
const share = (probability) => `${(100 * probability).toFixed(1)} %`;

// Answers: what is said of one in a line, and what is shown below.

function oneLabel({ label, probabilities }) {
  const pairs = sorted(probabilities);
  const isBest = (name) => name === label;
  return {
    said: [bdi(label), `, ${share(probabilities[label])}`],
    parts: [bars("Labels", pairs, { isBest })],
  };
}

function severalLabels({ labels, probabilities }, asked, { threshold }) {
  const said = labels.flatMap((label) => [", ", bdi(label)]).slice(1);
  const caption = `Labels; the line is the threshold, ${share(threshold)}`;
  const isBest = (name) => labels.includes(name);
  const how = { isBest, threshold, least: labels.length };
  return {
    said: labels.length ? said : [`No label reaches ${share(threshold)}`],
    parts: [bars(caption, sorted(probabilities), how)],
  };
}

function oneNumber({ score }) {
  const what = "The score, on the scale of the texts it was trained on";
  return { said: [String(score)], parts: [make("p", { class: "muted" }, what)] };
}

function choices({ choice, probabilities }, asked) {
  const names = asked.choices;
  const pairs = probabilities.map((value, i) => [i, value]);
  const how = { isBest: (i) => i === choice, named: (i) => [bdi(names[i])] };
  return {
    said: [bdi(names[choice]), `, ${share(probabilities[choice])}`],
    parts: [bars("Choices", pairs, { ...how, least: pairs.length })],
  };
}

function span(answer, { context }) {
  const place = make("div");
  const mark = ({ start, end }) => {
    const ranges = start === null ? [] : [{ start, end, kind: 0 }];
    place.replaceChildren(marked(context, ranges));
  };
  const named = (each) => {
    const text = each.text ? bdi(each.text) : "(no answer)";
    const button = make("button", { type: "button", class: "link" }, text);
    button.addEventListener("click", () => {
      mark(each);
      place.scrollIntoView({ block: "nearest" });
    });
    return [button];
  };
  mark(answer);
  const pairs = answer.nbest.map((each) => [each, each.probability]);
  const isBest = ({ text }) => text === answer.text;
  const odds = answer.null_odds?.toFixed(2);
  return {
    said: answer.text
      ? [bdi(answer.text), `, ${share(answer.probability)}`]
      : [`No answer in this context, ${share(answer.probability)}`],
    parts: [
      place,
      bars("Best answers; choose one to see it", pairs, { isBest, named }),
      ...(odds === undefined
        ? []
        : [make("p", { class: "muted" }, `${NULL_ODDS}: ${odds}`)]),
    ],
  };
}

function entities({ labels, offsets, probabilities }, { text }, model) {
  const found = [];
  let open = null;
  labels.forEach((label, i) => {
    const [letter, type] = tagOf(label, model.entities);
    if (letter === "O") {
      open = null;
      return;
    }
    const [start, end] = offsets[i];
    if (open?.type === type && letter !== "B" && letter !== "S") {
      open.end = end;
      open.least = Math.min(open.least, probabilities[i]);
    } else {
      open = { type, start, end, least: probabilities[i] };
      found.push(open);
    }
    if (letter === "E" || letter === "S") open = null;
  });
  const points = [...text];
  const types = typesOf(model, found);
  found.forEach((each) => (each.kind = types.indexOf(each.type)));
  const named = ({ start, end, type }) => [
    bdi(points.slice(start, end).join("")),
    " ",
    make("small", {}, bdi(type)),
  ];
  const pairs = found.map((each) => [each, each.least]);
  const caption = "Each with the lowest probability of its words";
  return {
    said: [`Marked: ${found.length}`],
    parts: [
      marked(text, found),
      ...(found.length ? [bars(caption, pairs, { named })] : []),
    ],
  };
}

// A label as [B, I, E, S or O, type]; without entities each word is one.
function tagOf(label, tags) {
  const tag = tags?.[label] ?? (label === "O" ? "O" : `S-${label}`);
  return [tag[0], tag === "O" ? "" : tag.slice(2).replace(/^_$/, "")];
}

// Types in an order that is the same for all texts, where it can be.
function typesOf({ entities: tags }, found) {
  const all = Object.keys(tags ?? {}).map((label) => tagOf(label, tags));
  const inside = all.filter(([letter]) => letter !== "O");
  const types = inside.map(([, type]) => type);
  return [...new Set([...types, ...found.map(({ type }) => type)])];
}

function guesses({ masks }, { text }) {
  const parts = text.split(MASK);
  const filled = make("p", { class: "text", dir: "auto" }, parts[0]);
  masks.forEach(([best], i) => {
    filled.append(make("mark", {}, best.token), parts[i + 1]);
  });
  const said = masks.flatMap(([best]) => [", ", bdi(best.token)]).slice(1);
  const tables = masks.map((words, i) => {
    const caption = masks.length > 1 ? `${MASK} ${i + 1}` : MASK;
    const pairs = words.map(({ token, probability }) => [token, probability]);
    return bars(caption, pairs, { isBest: (token) => token === pairs[0][0] });
  });
  return { said, parts: [filled, ...tables] };
}

function vectors({ tokens, sequence_output: rows, pooled_output: pooled }) {
  const columns = rows[0].map((_, i) => rows.map((values) => values[i]));
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const ways = {
    mean: columns.map((values) => Number(mean(values).toFixed(6))),
    max: columns.map((values) => Math.max(...values)),
    cls: rows[0],
    ...(pooled && { pooled_output: pooled }),
  };
  const select = make("select", { id: "pooling" });
  select.append(...Object.keys(ways).map((name) => make("option", {}, name)));
  const place = make("div");
  const show = () => {
    const values = ways[select.value];
    const first = `${values.slice(0, 8).join(", ")}, …`;
    place.replaceChildren(
      make("pre", { tabindex: 0, class: "text" }, first),
      copier(`Copy all ${values.length}`, () => JSON.stringify(values)),
    );
  };
  select.addEventListener("change", show);
  show();
  return {
    said: [`${tokens.length} tokens, ${rows[0].length} numbers each`],
    parts: [
      make("label", { for: "pooling" }, "As one vector"),
      select,
      place,
    ],
  };
}

function asJson(answer) {
  const text = JSON.stringify(answer, null, 2);
  return { said: ["Answered"], parts: [make("pre", { class: "text" }, text)] };
}

// By the task's name; of others the JSON is shown.
const SHOWN = {
  classification: oneLabel,
  multi_label: severalLabels,
  regression: oneNumber,
  multiple_choice: choices,
  squad: span,
  ner: entities,
  pretraining: guesses,
  features: vectors,
};

const sorted = (values) => Object.entries(values).sort((a, b) => b[1] - a[1]);

// A table of [thing, probability]s; many are folded away.
//
// `isBest` says which things stand out, `named` makes nodes of a thing, `least`
// are shown at once, and a line is drawn at `threshold`.
function bars(caption, pairs, how = {}) {
  const { isBest = () => false, named = (name) => [bdi(name)] } = how;
  const line = ([thing, probability]) =>
    make(
      "tr",
      isBest(thing) ? { class: "best" } : {},
      make("th", { scope: "row" }, ...named(thing)),
      bar(probability, how.threshold),
      make("td", { class: "number" }, share(probability)),
    );
  const table = (title, some) => {
    const body = make("tbody", {}, ...some.map(line));
    return make("table", { class: "answers" }, title, body);
  };
  const most = Math.max(MOST_ROWS, how.least ?? 0);
  const made = table(make("caption", {}, caption), pairs.slice(0, most));
  const rest = pairs.slice(most);
  if (!rest.length) return made;
  const title = make("summary", {}, `${rest.length} more`);
  return make("div", {}, made, make("details", {}, title, table("", rest)));
}

function bar(probability, threshold) {
  const track = make("div", { class: "track" }, make("div", { class: "bar" }));
  track.firstChild.style.width = `${100 * probability}%`;
  if (threshold !== undefined) {
    const mark = make("div", { class: "threshold" });
    mark.style.insetInlineStart = `${100 * threshold}%`;
    track.append(mark);
  }
  return make("td", {}, track);
}

// A text with some ranges marked, in order. They count code points, as Python
// does, and strings here do not.
function marked(text, ranges) {
  const points = [...text];
  const made = make("p", { class: "text", dir: "auto" });
  let at = 0;
  for (const { start, end, kind, type } of ranges) {
    const mark = make("mark", { class: `kind-${kind % NUM_COLOURS}` });
    mark.append(points.slice(start, end).join(""));
    if (type) mark.append(make("small", {}, bdi(type)));
    made.append(points.slice(at, start).join(""), mark);
    at = end;
  }
  made.append(points.slice(at).join(""));
  return made;
}

function copier(label, text) {
  const button = make("button", { type: "button" }, label);
  const note = make("span", { role: "status", class: "muted" });
  button.addEventListener("click", async () => {
    note.textContent = (await copy(text())) ? " Copied" : " Not copied";
  });
  return make("div", {}, button, note);
}

async function copy(text) {
  // Only pages of https or of this machine have it.
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const area = make("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}
