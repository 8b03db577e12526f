"""The one exception that means "the user's input is at fault"."""

import re

# Of a line that a script ends with, `error: ` in front of it included.
MOST_CHARS = 300
_MOST_IN_MESSAGE = MOST_CHARS - len("error: ")
# What stays of a long path or value, where a message has to be shortened.
_LEAST_OF_A_WORD = 40


class UserError(ValueError):
    """Bad input that its sender can mend: a flag, a file, a row, a record.

    The message is one line: what was expected, what came, where, what to do.
    The scripts print it without a stack trace and exit with code 1
    (`cli.command_line.run`); every other exception is a bug of ours.

    Args:
        message: is kept as `one_line` makes it.
    """

    # Says to Keras that its own words are in already: it adds ten lines to the
    # error of a layer, and of ours no more than a part would be left.
    _keras_call_info_injected = True

    def __init__(self, message: object):
        super().__init__(one_line(message))


def one_line(message: object, most: int = _MOST_IN_MESSAGE) -> str:
    r"""Returns a message as a terminal can show it.

    It is one line without control characters: what cannot be printed is
    escaped (`\x1b`). Where it is too long, the middles of its longest words,
    which are paths and values, are left out; where that is not enough, its
    own.

    Args:
        message: a text, or an error.
        most: how many characters it may have.
    """
    text = _without_middle(str(message), 100 * MOST_CHARS)
    lines = (line.strip(" \t") for line in re.split("[\r\n]", text))
    text = " ".join(filter(None, lines))
    if not text.isprintable():
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    # Paths first: who gave them knows them.
    words = sorted({*text.split()}, key=lambda w: ("/" in w[:9], len(w)))
    for word in reversed(words):
        left = max(len(word) - (len(text) - most), _LEAST_OF_A_WORD)
        if len(text) > most and len(word) > left:
            text = text.replace(word, _without_middle(word, left))
    return _without_middle(text, most)


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = most // 2
    return f"{text[: most - 1 - end]}…{text[-end:]}"
