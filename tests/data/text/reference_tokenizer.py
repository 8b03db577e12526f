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


# The same with places: a character is a pair (character, places it is from).


def is_left(char):
    return clean(char) not in ("", " ")


def lower(pairs):
    """The lower case of a character may hang on others, its length not."""
    rest = iter("".join(char for char, _ in pairs).lower())
    return [
        (next(rest), places) for char, places in pairs for _ in char.lower()
    ]


def strip_accents_of(pairs):
    """NFD by bubble sort of the marks; then the accents go."""
    pairs = [
        (part, places)
        for char, places in pairs
        for part in unicodedata.normalize("NFD", char)
    ]
    ranks = [unicodedata.combining(char) for char, _ in pairs]
    for end in range(len(pairs), 0, -1):
        for second in range(1, end):
            first = second - 1
            if ranks[first] > ranks[second] > 0:
                for row in (pairs, ranks):
                    row[first], row[second] = row[second], row[first]
                if not is_accent(pairs[first]) and not is_accent(pairs[second]):
                    moved(pairs, ranks, second)
    return [pair for pair in pairs if not is_accent(pair)]


def is_accent(pair):
    return unicodedata.category(pair[0]) == "Mn"


def moved(pairs, ranks, place):
    """Marks in a row in which one has moved are from all the row's places."""
    first = last = place
    while first > 0 and ranks[first - 1]:
        first -= 1
    while last + 1 < len(ranks) and ranks[last + 1]:
        last += 1
    row = [i for i in range(first, last + 1) if not is_accent(pairs[i])]
    everywhere = set().union(*(pairs[each][1] for each in row))
    for each in row:
        pairs[each] = (pairs[each][0], everywhere)


def words_with_places(text, do_lower_case):
    words = []
    word = []
    for place, char in enumerate(text):
        if clean(char) == " " or (char.isspace() and is_left(char)):
            words.append(word)
            word = []
        elif is_left(char) and is_cjk(ord(char)):
            words += [word, [(char, {place})]]
            word = []
        elif is_left(char):
            word.append((char, {place}))
    words.append(word)
    tokens = []
    for word in words:
        if do_lower_case:
            word = strip_accents_of(lower(word))
        parts = [[]]
        for char, places in word:
            if is_punctuation(char):
                parts += [[(char, places)], []]
            else:
                parts[-1].append((char, places))
        tokens += [part for part in parts if part]
    return tokens


def tokenize_with_offsets(text, vocab, do_lower_case):
    """Returns pieces, and by piece its range [start, end)."""
    found = []
    tokens = words_with_places(text, do_lower_case)
    for token in tokens:
        rest = list(token)
        for piece in wordpiece_tokenize("".join(c for c, _ in token), vocab):
            length = (
                len(piece.removeprefix("##"))
                if len(rest) < len(token)
                else len(piece)
            )
            if piece == "[UNK]":
                length = len(rest)
            own = set().union(*(places for _, places in rest[:length]))
            rest = rest[length:]
            end = max(own) + 1
            while end < len(text) and is_dropped_mark(text, end, do_lower_case):
                end += 1
            found.append((piece, (min(own), end)))
    return found


def is_dropped_mark(text, place, do_lower_case):
    """Whether a dropped character belongs to the one before it."""
    if words_with_places(text[place], do_lower_case):
        return False
    code = ord(text[place])
    if code == 0x200C:
        return unicodedata.combining(text[place - 1]) == 9
    return (
        unicodedata.category(text[place]) == "Mn"
        or code == 0x200D
        or 0xE0020 <= code <= 0xE007F
    )
