"""The text of a page of MediaWiki.

As for the original BERT, only passages of text count: no templates, tables,
references, lists, headings, pictures or formulas (Devlin et al. 2019, section
3.1).
"""

import re
from collections import Counter
from collections.abc import Iterable

# Their content is no running text.
_NO_TEXT_TAGS = frozenset(
    [
        *("ce", "chem", "gallery", "graph", "hiero", "imagemap", "math"),
        *("mapframe", "maplink", "pre", "ref", "references", "score", "source"),
        *("style", "syntaxhighlight", "table", "templatestyles", "timeline"),
    ]
)
_LINE_TAGS = frozenset(["li", "dt", "dd", "hr"])
# In place of what begins a line that is no passage.
_NO_PASSAGE = "\0"
# Of a template or table that is not closed.
_LEFTOVERS = re.compile(r"\{\{|\}\}|\{\||\|\}|^\s*[|!]|__[A-Z]+__")


def passages(
    source: str, no_text: tuple[str, ...], left_out: Counter[str]
) -> str:
    """Returns the passages of a page, one a line.

    Args:
        source: wikitext.
        no_text: prefixes of links that show no text, in lower case.
        left_out: counts lines that are left out, by their reason.
    """
    import mwparserfromhell  # requirements-text.txt

    # What is bold stays: an apostrophe too many would cost half a page.
    source = source.replace(_NO_PASSAGE, "")
    code = mwparserfromhell.parse(source, skip_style_tags=True)
    lines = []
    for line in _plain(code.nodes, no_text).split("\n"):
        line = re.sub("'{2,}", "", line).strip()
        if _NO_PASSAGE in line:
            left_out["lines of wikitext: headings, lists"] += 1
        elif _LEFTOVERS.search(line):
            left_out["lines of wikitext: templates, tables not closed"] += 1
        elif line:
            lines.append(line)
    return "\n".join(lines)


def _plain(nodes: Iterable, no_text: tuple[str, ...]) -> str:
    from mwparserfromhell import nodes as kinds

    parts = []
    for node in nodes:
        if isinstance(node, kinds.Text):
            parts.append(str(node.value))
        elif isinstance(node, kinds.HTMLEntity):
            parts.append(_character(node))
        elif isinstance(node, kinds.Heading):
            parts.append(_NO_PASSAGE)
        elif isinstance(node, kinds.Wikilink):
            prefix, colon, _ = str(node.title).partition(":")
            if not colon or prefix.strip().lower() not in no_text:
                shown = node.title if node.text is None else node.text
                parts.append(_plain(shown.nodes, no_text))
        elif isinstance(node, kinds.ExternalLink):
            if node.title is not None:
                parts.append(_plain(node.title.nodes, no_text))
        elif isinstance(node, kinds.Tag):
            parts.append(_inside(node, no_text))
    return "".join(parts)


def _inside(tag, no_text: tuple[str, ...]) -> str:
    name = str(tag.tag).strip().lower()
    if name in _LINE_TAGS:
        return _NO_PASSAGE
    if name == "br":
        return " "
    if name in _NO_TEXT_TAGS or tag.contents is None:
        return ""
    return _plain(tag.contents.nodes, no_text)


def _character(entity) -> str:
    try:
        return entity.normalize()
    except (ValueError, OverflowError):  # there is no such character
        return ""
