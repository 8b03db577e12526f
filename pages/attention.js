"use strict";
// What pages/attention.py makes, answering a reader. Texts enter the page as
// text nodes only.

// Pieces in the list below: those that are looked at most.
const MOST_LISTED = 8;
// Of the pictures of heads, in pixels.
const LARGEST_HEAD = 32;
const GAP = 3;
const DARK = matchMedia("(prefers-color-scheme: dark)");

for (const figure of document.querySelectorAll(".attention")) {
  start(figure);
}

function start(figure) {
  const layers = Number(figure.dataset.layers);
  const heads = Number(figure.dataset.heads);
  const box = figure.querySelector(".pieces");
  const pieces = [...box.children];
  const size = pieces.length;
  const choose = (name) => figure.querySelector(`select[name=${name}]`);
  const status = figure.querySelector("[role=status]");
  const table = figure.querySelector("table");
  const coded = atob(figure.querySelector("script").textContent);
  const bytes = Uint8Array.from(coded, (letter) => letter.charCodeAt(0));
  const canvas = figure.querySelector("canvas");
  const room = Math.floor(figure.clientWidth / heads);
  const side = Math.max(GAP + 1, Math.min(LARGEST_HEAD, room));
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

  // Draws each head as a square; of the weights in a pixel the largest.
  function drawHeads() {
    [canvas.width, canvas.height] = [heads * side, layers * side];
    const pen = canvas.getContext("2d");
    const colour = (name) => getComputedStyle(figure).getPropertyValue(name);
    const inner = side - GAP;
    // The pieces in a pixel: one at least.
    const range = (pixel) => {
      const [first, last] = [pixel, pixel + 1].map((edge) =>
        Math.floor((edge * size) / inner),
      );
      return [first, Math.max(first + 1, last)];
    };
    for (let cell = 0; cell < layers * heads; cell++) {
      const left = (cell % heads) * side;
      const top = Math.floor(cell / heads) * side;
      pen.globalAlpha = 1;
      pen.fillStyle = colour("--panel");
      pen.fillRect(left, top, inner, inner);
      pen.fillStyle = colour("--accent");
      for (let pixel = 0; pixel < inner * inner; pixel++) {
        const [x, y] = [pixel % inner, Math.floor(pixel / inner)];
        pen.globalAlpha = Math.sqrt(largest(cell, range(x), range(y)));
        pen.fillRect(left + x, top + y, 1, 1);
      }
    }
  }

  function largest(cell, [firstTo, lastTo], [firstFrom, lastFrom]) {
    let most = 0;
    for (let from = firstFrom; from < lastFrom; from++) {
      const row = (cell * size + from) * size;
      for (let to = firstTo; to < lastTo; to++) {
        most = Math.max(most, bytes[row + to]);
      }
    }
    return most / 255;
  }

  function showHead() {
    const box = figure.querySelector(".heads span").style;
    const head = Number(choose("head").value);
    box.insetInlineStart = `${Math.max(0, head - 1) * side}px`;
    box.insetBlockStart = `${(choose("layer").value - 1) * side}px`;
    // The mean is of a whole row.
    box.width = `${(head ? 1 : heads) * side - GAP}px`;
    box.height = `${side - GAP}px`;
  }

  function show(number) {
    current = number;
    showHead();
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
  canvas.addEventListener("click", (event) => {
    choose("layer").value = Math.floor(event.offsetY / side) + 1;
    choose("head").value = Math.floor(event.offsetX / side) + 1;
    show(current);
  });
  DARK.addEventListener("change", drawHeads);
  drawHeads();
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
