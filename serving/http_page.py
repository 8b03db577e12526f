"""The page at `/`, where people ask the models.

It is the same for all models, and holds nothing of them: its script asks for
their names (`GET /v1/models`), and shows answers by the task's name.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bert.pages import frame

_SCRIPTS = ("http_answers.js", "http_page.js")
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)

_PARTS = (
    '<noscript><p class="bad">This page needs JavaScript.</p></noscript>',
    """<main>
<form id="form">
<div id="key-row" hidden>
<label for="key">API key</label>
<input id="key" type="password" autocomplete="off" pattern="\\s*[!-~]+\\s*"
 title="visible ASCII characters, without spaces">
<p class="muted">This page forgets it when it is closed.</p>
</div>
<div id="asks" hidden>
<label for="model">Model</label>
<select id="model"></select>
<p id="about" class="muted"></p>
<div id="fields"></div>
</div>
<button id="ask">Ask</button> <span class="muted">or Ctrl+Enter</span>
</form>
<section id="answers">
<h2>Answer</h2>
<p id="said" role="status" dir="auto"></p>
<div id="answer"></div>
</section>
<section id="command" hidden>
<h2>From the command line</h2>
<pre id="curl" class="text" tabindex="0"></pre>
</section>
</main>""",
)

_STYLE = """
[hidden] { display: none; }
label { display: block; font-weight: 600; margin: 0.75rem 0 0.25rem; }
input, select, textarea, button {
  font: inherit; color: inherit; background: var(--panel); max-width: 100%;
  border: 1px solid var(--muted); border-radius: 0.25rem;
  padding: 0.4rem 0.6rem;
}
input, textarea { display: block; width: 100%; }
textarea { resize: vertical; }
button { cursor: pointer; margin: 0.5rem 0; }
#ask {
  background: var(--accent); border-color: var(--accent); color: var(--ground);
  font-weight: 600; padding-inline: 1.5rem;
}
.link {
  background: none; border: 0; margin: 0; padding: 0; text-align: start;
  text-decoration: underline;
}
:focus-visible { outline: 0.15rem solid var(--accent); outline-offset: 0.1rem; }
#about { margin: 0.25rem 0; }
#said { font-size: 1.25rem; font-weight: 600; min-height: 1.5em; }
.text {
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext;
}
mark {
  --kind: var(--accent); border-color: var(--kind); border-radius: 0.15rem;
  background: color-mix(in srgb, var(--kind) 25%, transparent);
}
small { color: var(--muted); }
mark small { margin-inline: 0.3em; }
.track { position: relative; }
.threshold {
  position: absolute; inset-block: -0.2rem;
  border-inline-start: 2px dashed var(--ink);
}
@media (min-width: 60rem) {
  main { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; }
  main > * { min-width: 0; }
  #answers { grid-column: 2; grid-row: 1 / span 2; }
  #answers h2 { margin-top: 0.75rem; }
}
"""


class Page(NamedTuple):
    """What is answered at `/`.

    Attributes:
        html: the page.
        headers: what a browser may do with it: run its own script, and ask
            this server; nothing else.
    """

    html: str
    headers: Mapping[str, str]


@functools.cache
def page() -> Page:
    """Returns the page."""
    script = "".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in _SCRIPTS
    )
    colours = "".join(
        f".kind-{number} {{ --kind: {colour}; }}\n"
        for number, colour in enumerate(frame.COLOURS)
    )
    html = frame.page(
        "Ask a model", _PARTS, style=_STYLE + colours, script=script
    )
    # Of its script and style, and of no others that may get into it.
    allowed = " ".join(
        f"{tag}-src 'sha256-{_digest(text)}';"
        for tag, text in _INLINE.findall(html)
    )
    policy = (
        f"default-src 'none'; {allowed} connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return Page(html, headers)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
