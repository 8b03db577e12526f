"""Word pieces → the part of the text that they are from.

Source: get_final_text in run_squad.py of google-research/bert.
"""

from collections.abc import Iterable

from absl import logging

from bert.data.text.tokenization import BasicTokenizer

# In no tokenized text: brackets are tokens of their own.
_UNKNOWN = "[UNK]"


def join_pieces(pieces: Iterable[str]) -> str:
    """Returns word pieces as words: a `pred_text`."""
    text = " ".join(pieces).replace(" ##", "").replace("##", "")
    return " ".join(text.split())


def get_final_text(
    pred_text: str,
    orig_text: str,
    do_lower_case: bool,
    verbose_logging: bool = False,
) -> str:
    """Finds in the original text what word pieces have been made of.

    Pieces are lower-cased, without accents, and apart from punctuation, so
    the two are laid side by side without their spaces:

        pred_text  steve smith     orig_text  Steve Smith's
        returns    Steve Smith

    Args:
        pred_text: pieces, joined to words.
        orig_text: the words that they are from, joined by spaces.
        do_lower_case: whether the pieces are lower-cased.
        verbose_logging: whether to log what is not found.

    Returns:
        A part of orig_text; all of it where pred_text is not found in it, or
        where tokenizing has changed its length.
    """
    text = OriginalText(orig_text, do_lower_case)
    return text.part(pred_text, verbose_logging)


class OriginalText:
    """A text that is tokenized once to find many parts of it.

    Args:
        orig_text: see `get_final_text`.
        do_lower_case: see `get_final_text`.
    """

    def __init__(self, orig_text: str, do_lower_case: bool) -> None:
        tokens = BasicTokenizer(do_lower_case).tokenize(orig_text)
        self._orig_text = orig_text
        self._tok_text = " ".join(tokens)
        self._tok_chars = "".join(tokens)
        self._places = [
            place for place, char in enumerate(orig_text) if char != " "
        ]
        self._has_places = len(self._places) == len(self._tok_chars)

    def part(self, pred_text: str, verbose_logging: bool = False) -> str:
        """Returns `get_final_text` of this text."""
        if not self._has_places and not verbose_logging:
            return self._orig_text
        start = -1
        if _UNKNOWN not in pred_text:
            start = self._tok_text.find(pred_text)
        if start < 0:
            if verbose_logging:
                logging.info(
                    "Unable to find text: '%s' in '%s'",
                    pred_text,
                    self._orig_text,
                )
            return self._orig_text
        if not self._has_places:
            logging.info(
                "Length not equal after stripping spaces: '%s' vs '%s'",
                self._orig_text.replace(" ", ""),
                self._tok_chars,
            )
            return self._orig_text
        end = start + len(pred_text) - 1
        for name, place in (("start", start), ("end", end)):
            # "" has no places, and a space has none in the original text.
            if self._tok_text[max(place, 0) :][:1] in ("", " ") or place < 0:
                if verbose_logging:
                    logging.info("Couldn't map %s position", name)
                return self._orig_text
        first = start - self._tok_text.count(" ", 0, start)
        last = first + len(pred_text.replace(" ", "")) - 1
        return self._orig_text[self._places[first] : self._places[last] + 1]
