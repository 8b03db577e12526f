"""Word pieces → the part of the text that they are from.

Source: get_final_text in run_squad.py of google-research/bert.
"""

from absl import logging

from bert.data.text.tokenization import BasicTokenizer


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
    tok_text = " ".join(BasicTokenizer(do_lower_case).tokenize(orig_text))
    start = tok_text.find(pred_text)
    if start < 0 or not pred_text:
        if verbose_logging:
            logging.info(
                "Unable to find text: '%s' in '%s'", pred_text, orig_text
            )
        return orig_text
    tok_chars = tok_text.replace(" ", "")
    places = [place for place, char in enumerate(orig_text) if char != " "]
    if len(places) != len(tok_chars):
        if verbose_logging:
            logging.info(
                "Length not equal after stripping spaces: '%s' vs '%s'",
                orig_text.replace(" ", ""),
                tok_chars,
            )
        return orig_text
    first = len(tok_text[:start].replace(" ", ""))
    last = first + len(pred_text.replace(" ", "")) - 1
    return orig_text[places[first] : places[last] + 1]
