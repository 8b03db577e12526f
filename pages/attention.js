"use strict";
// What pages/attention.py makes, answering a reader. Texts enter the page as
// text nodes only.

// Pieces in the list below: those that are looked at most.
const MOST_LISTED = 8;

for (const figure of document.querySelectorAll(".attention")) {
  start(figure);
}

function start(figure) {
  const heads = Number(figure.dataset.heads);
  const box = figure.querySelector(".pieces");
  const pieces = [...box.children];
  const size = pieces.length;
  const choose = (name) => figure.querySelector(`select[name=${name}]`);
  const status = figure.querySelector("[role=status]");
  const table = figure.querySelector("table");
  const coded = atob(figure.querySelector("script").textContent);
  const bytes = Uint8Array.from(coded, (letter) => letter.charCodeAt(0));
  let current = Math.min(1, size - 1);

  // How much piece `from` looks at each, 0 to 1; of head 0 the mean of all.
  function weightsOf(from) {
    const layer = Number(choose("layer").value) - 1;
    const head = Number(choose("head").value);
    const chosen = head ? [head - 1] : [...Array(heads).keys()];
    return pieces.map((_, to) => {
      const sum = chosen.reduce((total, number) => {
        const row = ((layer * heads + number) * size + from) * size;
        return total + bytes[row + to];
      }, 0);
      return sum / chosen.length / 255;
    });
  }

  function show(number) {
    current = number;
    const weights = weightsOf(number);
    pieces.forEach((piece, to) => {
      // Of the root small weights are still seen.
      piece.style.setProperty("--weight", Math.sqrt(weights[to]));
      piece.setAttribute("aria-current", to === number);
      piece.tabIndex = to === number ? 0 : -1;
    });
    const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]);
    const [name, most] = [number, order[0]].map((n) => pieces[n].textContent);
    const said = ["“", bdi(name), "” looks most at “", bdi(most), "”"];
    status.replaceChildren(...said);
    table.replaceChildren(
      ...order.slice(0, MOST_LISTED).map((to) => line(to, weights[to])),
    );
  }

  function line(to, weight) {
    const name = make("th", bdi(pieces[to].textContent));
    name.scope = "row";
    const place = make("small", ` ${to + 1}`);
    place.className = "muted";
    name.append(place);
    const bar = make("div");
    bar.className = "bar";
    bar.style.width = `${100 * weight}%`;
    const track = make("div", bar);
    track.className = "track";
    const share = make("td", `${Math.round(100 * weight)}\u00a0%`);
    share.className = "number";
    return make("tr", name, make("td", track), share);
  }

  pieces.forEach((piece, number) => {
    for (const event of ["pointerenter", "focus", "click"]) {
      piece.addEventListener(event, () => show(number));
    }
  });
  box.addEventListener("keydown", (event) => {
    const forward = box.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = box.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
    const to = {
      [forward]: current + 1,
      [back]: current - 1,
      Home: 0,
      End: size - 1,
    }[event.key];
    if (pieces[to]) {
      event.preventDefault();
      pieces[to].focus();
    }
  });
  for (const name of ["layer", "head"]) {
    choose(name).addEventListener("change", () => show(current));
  }
  show(current);
}

function make(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

// A user's text, which may run from right to left.
function bdi(text) {
  const made = make("bdi", text);
  made.dir = "auto";
  return made;
}
