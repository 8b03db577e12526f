// The page of serve.py, second half: asks a model. The first half is
// http_answers.js.

const RETRY_MS = 2000;
// What a request's object may have: how it is called here, and its lines.
const FIELDS = {
  text: ["Text", 5],
  text_pair: ["Second text, of a pair", 3],
  question: ["Question", 1],
  context: ["Context", 8],
  choices: ["Choices, one a line", 4],
};

const by = (id) => document.getElementById(id);
const texts = {}; // what was typed, by the name of the field
let models = [];
let needsKey = false;
let asking = new AbortController();

// The form.

const chosen = () => models[by("model").selectedIndex];

function showFields() {
  const { asks, task, version } = chosen();
  by("about").textContent = `${task.replaceAll("_", " ")}, version ${version}`;
  by("fields").replaceChildren(...asks.map((name) => field(name, task)));
  forget();
}

function field(name, task) {
  const [label, lines] = FIELDS[name] ?? [name, 4];
  const id = `field-${name}`;
  const input =
    lines === 1
      ? make("input", { id, dir: "auto", autocomplete: "off" })
      : make("textarea", { id, dir: "auto", rows: lines });
  input.value = texts[name] ?? "";
  const typed = () => {
    texts[name] = input.value;
    showCommand();
  };
  input.addEventListener("input", typed);
  const made = make("div", {}, make("label", { for: id }, label), input);
  if (task === "pretraining") {
    const button = make("button", { type: "button" }, `Insert ${MASK}`);
    button.addEventListener("click", () => {
      const { selectionStart, selectionEnd } = input;
      input.setRangeText(MASK, selectionStart, selectionEnd, "end");
      input.focus();
      typed();
    });
    made.append(button);
  }
  return made;
}

// What is asked, as predict.py takes it.
function row() {
  const found = {};
  for (const name of chosen().asks) {
    const text = texts[name] ?? "";
    if (name === "choices") {
      found[name] = text.split("\n").filter((line) => line.trim());
    } else if (text || name !== "text_pair") {
      found[name] = text;
    }
  }
  return found;
}

const bodyOf = (asked) => JSON.stringify({ instances: [asked] });
const address = (path) => new URL(path, document.baseURI).href;
const predictPath = () => `v1/models/${chosen().name}:predict`;

function showCommand() {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  by("curl").textContent = [
    `curl ${quoted(address(predictPath()))}`,
    ...(needsKey ? ["-H 'Authorization: Bearer KEY'"] : []),
    `-d ${quoted(bodyOf(row()))}`,
  ].join(" ");
}

// The server.

async function call(path, options) {
  const key = by("key").value.trim();
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let answer;
  try {
    answer = await fetch(address(path), { ...options, headers });
  } catch {
    throw new Error("The server does not answer. Does it still run?");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const code = answer.status;
  let said = String(body?.error ?? "the server says no more");
  if (code === 401) {
    needsKey = true;
    by("key-row").hidden = false;
    by("key").focus();
    said = key ? "the server does not know this key" : "an API key is needed";
  }
  said = `Code ${code}: ${said.replace(/^instances\[0\]: /, "")}`;
  throw Object.assign(new Error(said), { code });
}

async function load() {
  try {
    ({ models } = await call("v1/models", { cache: "no-store" }));
    by("model").replaceChildren(
      ...models.map(({ name }) => make("option", {}, name)),
    );
    by("asks").hidden = by("command").hidden = false;
    showFields();
  } catch (fault) {
    sayFault(fault);
    if (fault.code === 503) setTimeout(load, RETRY_MS);
  }
}

async function ask() {
  forget();
  const { signal } = asking;
  const asked = row();
  const model = chosen();
  say("Waiting for the answer …");
  try {
    const body = await call(predictPath(), {
      method: "POST",
      body: bodyOf(asked),
      signal,
    });
    if (signal.aborted) return;
    const show = SHOWN[model.task] ?? asJson;
    const { said, parts } = show(body.predictions[0], asked, model);
    by("answer").replaceChildren(...parts);
    say(...said);
  } catch (fault) {
    if (!signal.aborted) sayFault(fault);
  }
}

// Drops the answer, also one that is still to come.
function forget() {
  asking.abort();
  asking = new AbortController();
  by("answer").replaceChildren();
  say();
  showCommand();
}

function say(...words) {
  by("said").className = "";
  by("said").replaceChildren(...words);
}

function sayFault(fault) {
  say(fault.message);
  by("said").className = "bad";
}

by("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (models.length) ask();
  else load();
});
by("form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    by("form").requestSubmit();
  }
});
by("model").addEventListener("change", showFields);
by("curl").after(copier("Copy", () => by("curl").textContent));
load();
