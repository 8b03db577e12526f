"""A plain per-character reading of the contract: what the fast one must equal.

No tables, no memory, no shortcuts: one rule after the other, over characters.
"""

import unicodedata

MAX_WORD_CHARS = 200


def clean(text):
    """Drops what nobody sees, and makes every space a plain one."""
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if char in ("\t", "\n", "\r") or category == "Zs":
            kept.append(" ")
        elif ord(char) in (0, 0xFFFD) or category in ("Cc", "Cf"):
            continue
        else:
            kept.append(char)
    return "".join(kept)


def is_cjk(code):
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2A6DF
        or 0x2A700 <= code <= 0x2B73F
        or 0x2B740 <= code <= 0x2B81F
        or 0x2B820 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


def space_out_cjk(text):
    spaced = []
    for char in text:
        if is_cjk(ord(char)):
            spaced.append(" " + char + " ")
        else:
            spaced.append(char)
    return "".join(spaced)


def strip_accents(word):
    return "".join(
        char
        for char in unicodedata.normalize("NFD", word)
        if unicodedata.category(char) != "Mn"
    )


def is_punctuation(char):
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64:
        return True
    if 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")


def split_at_punctuation(word):
    parts = [""]
    for char in word:
        if is_punctuation(char):
            parts += [char, ""]
        else:
            parts[-1] += char
    return [part for part in parts if part]


def basic_tokenize(text, do_lower_case):
    tokens = []
    for word in space_out_cjk(clean(text)).split():
        if do_lower_case:
            word = strip_accents(word.lower())
        tokens += split_at_punctuation(word)
    return " ".join(tokens).split()


def wordpiece_tokenize(word, vocab):
    """Greedy longest match first; all or nothing."""
    if len(word) > MAX_WORD_CHARS:
        return ["[UNK]"]
    pieces = []
    start = 0
    while start < len(word):
        end = len(word)
        while end > start:
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocab:
                break
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def tokenize(text, vocab, do_lower_case):
    return [
        piece
        for word in basic_tokenize(text, do_lower_case)
        for piece in wordpiece_tokenize(word, vocab)
    ]
