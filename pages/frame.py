"""A page of HTML in one file: its frame and style, and what stands in it.

Nothing comes from elsewhere: no script, font or picture. All pages of this
project look alike: light and dark as the reader's system is, on a wide screen,
a telephone and paper. Text of users goes through `escape` or `text`; what says
that it takes HTML wants it escaped.
"""

import html
from collections.abc import Iterable, Sequence

# Okabe and Ito's colours, which the colour-blind tell apart; without their
# yellow, which is hardly seen on white.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
)

_STYLE = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f4f5f7; --ink: #1c1f24; --muted: #5b636e;
  --line: #d4d8de; --accent: #0062a3; --good: #00734f; --bad: #b34700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181c; --panel: #21252b; --ink: #e6e8eb; --muted: #a2aab5;
    --line: #3a4049; --accent: #6bbcf0; --good: #4fd0a5; --bad: #ff9d5c;
  }
}
@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --panel: #ffffff; --ink: #000000; --muted: #444444;
    --line: #bbbbbb; --accent: #004a7c; --good: #005c3f; --bad: #8f3900;
  }
  section { break-inside: auto; }
  figure, tr, h2, h3 { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 72rem; color: var(--ink);
  background: var(--ground); font: 1rem/1.5 system-ui, "Noto Sans", sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1.05rem; margin: 1.25rem 0 0.25rem; }
h1, h2, h3, p, td, th, dd, li, figcaption { overflow-wrap: anywhere; }
a { color: var(--accent); }
.muted, figcaption { color: var(--muted); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; max-width: 100%; }
th, td {
  border-bottom: 1px solid var(--line); padding: 0.25rem 0.6rem;
  text-align: start; vertical-align: top;
}
th { color: var(--muted); font-weight: 600; }
td.number, th.number {
  text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap;
}
th.number { white-space: normal; overflow-wrap: normal; }
@media (max-width: 30rem) {
  table { font-size: 0.9rem; }
  th, td { padding: 0.25rem 0.35rem; }
}
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; display: block; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
pre {
  background: var(--panel); padding: 0.75rem; overflow-x: auto;
  border-radius: 0.25rem;
}
mark { background: none; color: inherit; border-bottom: 0.2em solid; }
mark.gold { border-bottom-color: var(--good); }
mark.predicted {
  background: color-mix(in srgb, var(--bad) 15%, transparent);
  border-top: 0.15em dashed var(--bad); border-bottom-width: 0;
}
mark.gold.predicted { border-bottom-width: 0.2em; }
mark + small, mark + small + small { margin-inline-start: 0.25em; }
bdi:has(mark) { line-height: 1.9; }
.answers { width: 100%; table-layout: fixed; }
.answers caption { color: var(--muted); text-align: start; }
.answers th { color: inherit; font-weight: 400; width: 45%; }
.answers .best th { font-weight: 700; }
.answers td.number { width: 5.5rem; }
.track { background: var(--panel); margin-top: 0.35rem; }
.bar { background: var(--muted); height: 0.8rem; }
.best .bar { background: var(--accent); }
.text { white-space: pre-wrap; unicode-bidi: plaintext; }
mark.entity {
  --kind: var(--accent); border-color: var(--kind);
  background: color-mix(in srgb, var(--kind) 15%, transparent);
}
mark.entity small { color: var(--muted); margin-inline-start: 0.3em; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
.charts figure { flex: 1 1 20rem; min-width: 0; margin: 0; }
"""


def page(
    title: str, parts: Iterable[str], *, style: str = "", script: str = ""
) -> str:
    """Returns a whole page.

    Args:
        title: its title and first heading.
        parts: the HTML below it.
        style: CSS that only this page has.
        script: JavaScript of its own, run at its end.
    """
    own = f"<script>{script}</script>\n" if script else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, '
        'initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n"
        f"</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(parts)
        + f"\n{own}</body>\n</html>\n"
    )


def escape(text: object) -> str:
    """Returns what shows a text as it is, in HTML or in an attribute.

    A character that HTML must not have (a control, half a surrogate pair)
    becomes U+FFFD.
    """
    shown = "".join(c if _may_stand(c) else "\ufffd" for c in str(text))
    return html.escape(shown)


def _may_stand(character: str) -> bool:
    code = ord(character)
    if code < 0x20:
        return character in "\t\n\f\r"
    return not (
        0x7F <= code < 0xA0
        or 0xD800 <= code < 0xE000
        or 0xFDD0 <= code < 0xFDF0
        or code & 0xFFFE == 0xFFFE
    )


def text(words: object) -> str:
    """Returns a user's text, which may run from right to left."""
    return f'<bdi dir="auto">{escape(words)}</bdi>'


def section(title: str, *parts: str) -> str:
    """Returns HTML below a heading."""
    inside = "\n".join(parts)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inside}\n</section>"


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Iterable[str] = (),
) -> str:
    """Returns a table, which scrolls for itself where it is too wide.

    Args:
        columns: names of the columns, as text.
        rows: the HTML of each cell.
        numbers: which columns are set as numbers are.
    """
    kinds = [' class="number"' if c in {*numbers} else "" for c in columns]

    def line(tag: str, cells: Sequence[str], more: str = "") -> str:
        shown = (
            f"<{tag}{more}{kind}>{cell}</{tag}>"
            for cell, kind in zip(cells, kinds, strict=True)
        )
        return f"<tr>{''.join(shown)}</tr>"

    head = line("th", [escape(c) for c in columns], ' scope="col"')
    body = "\n".join(line("td", row) for row in rows)
    return (
        f'<div class="scroll"><table>\n<thead>{head}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def figure(picture: str, caption: str) -> str:
    """Returns a picture (HTML) with a text below."""
    return (
        f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
    )
