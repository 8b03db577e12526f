"""Codes of languages, as the sentence splitter (sentencex) takes them.

It takes what it does not know, `DE` and `deu` too, for English, in silence.
"""

import re

from absl import logging

from bert.errors import UserError

# ISO 639-1, and two that were in it and still name wikis (bh, sh).
_ISO_639_1 = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch
    co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga
    gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja
    jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv
    mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or
    os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve
    vi vo wa wo xh yi yo za zh zu
"""
_CODES = frozenset(_ISO_639_1.split())
_CODE = re.compile(r"([a-zA-Z]{2,3})([-_]\w{1,8})*", re.ASCII)


def check(language: str) -> None:
    """Raises UserError for what is no code of a language."""
    found = _CODE.fullmatch(language)
    code = found and found[1].lower()
    if not code or (len(code) == 2 and code not in _CODES):
        raise UserError(
            "--language must be a code of ISO 639, such as en, de, zh. "
            f"Received: {language!r}."
        )


def code_of(language: str) -> str:
    """Returns the code that the splitter knows, without country or script.

    A code of three letters gets a warning: whether there are rules for it
    cannot be asked.

    Args:
        language: has passed `check`.
    """
    code = re.split("[-_]", language)[0].lower()
    if len(code) == 3:
        logging.warning(
            "--language=%s: where sentencex has no rules for it, sentences are "
            "cut as English ones. A language that has a code of two letters "
            "is known by that one alone (de, not deu).",
            language,
        )
    return code
