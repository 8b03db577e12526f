"""Learns a WordPiece vocabulary (vocab.txt) from text.

Text of any size, a sentence a line. See docs/own_language.md.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from absl import flags, logging

from bert.cli import command_line, shared_flags
from bert.cli.config import FlagConfig
from bert.cli.progress import Progress
from bert.errors import UserError
from bert.files import atomic_files, file_bytes, flag_paths

# Smaller texts are learnt from as a whole: a hundredth would tell nothing.
_LEAST_BYTES_TO_HOLD_BACK = 10_000_000


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        input_file="Text files or glob patterns, separated by commas; plain, "
        "or packed by gzip, bz2 or xz.",
        output_file="Where to write the vocabulary, a piece a line.",
    )
    shared_flags.define_do_lower_case(flag_values)
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        vocab_size=(30522, "Pieces at most, special ones included."),
        min_frequency=(
            2,
            "How often a character, or a pair of pieces, occurs at least to "
            "become a piece.",
        ),
        max_piece_chars=(16, "Characters of a piece at most."),
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        num_unused=(
            99,
            "Pieces [unused0] … that stand for nothing yet, for words to come.",
        ),
    )
    flags.DEFINE_integer(
        "max_unique_chars",
        None,
        "Characters at most, the most frequent ones, however rare. Default: "
        "those that occur min_frequency times.",
        lower_bound=1,
        flag_values=flag_values,
    )
    shared_flags.define_text_flags(flag_values)


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig):
    """The values of the flags, by their names."""

    input_file: str
    output_file: str
    do_lower_case: bool
    vocab_size: int
    min_frequency: int
    max_piece_chars: int
    num_unused: int
    max_unique_chars: int | None
    num_workers: int | None
    overwrite: bool

    def __post_init__(self):
        # Not of `special_pieces`, which may be more than memory holds.
        num_special = self.num_unused + 5
        if self.vocab_size <= num_special:
            raise UserError(
                f"--vocab_size must be above {num_special}, as so many pieces "
                f"are special (--num_unused). Received: {self.vocab_size}."
            )

    @property
    def special_pieces(self) -> list[str]:
        """The pieces with the first ids, as in the original's vocabularies."""
        unused = [f"[unused{number}]" for number in range(self.num_unused)]
        return ["[PAD]", *unused, "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def learn_vocabulary(config: Config) -> None:
    """Text → counted words → pieces → file.

    Raises:
        UserError: a file is missing or in the way, or holds no text, or the
            vocabulary has no room for the characters.
    """
    files = flag_paths.matching_files(config.input_file, "input_file")
    flag_paths.check_new_file(
        config.output_file, "output_file", config.overwrite, files
    )
    from bert.data.text import vocab_learning  # not above: it needs NumPy

    counts, held_back = count_words(config, files)
    if not counts:
        raise UserError(
            f"--input_file: expected text. Received: {config.input_file}, "
            "where no line has a word."
        )
    special = config.special_pieces
    characters = vocab_learning.alphabet(
        counts, config.min_frequency, config.max_unique_chars
    )
    if not characters:
        raise UserError(
            f"--min_frequency={config.min_frequency}: expected a character "
            "that occurs so often. Received: a text without one; lower it, or "
            "name more text."
        )
    pieces = special + vocab_learning.learn(
        counts,
        characters,
        config.vocab_size - len(special),
        config.min_frequency,
        config.max_piece_chars,
    )
    if len(pieces) > config.vocab_size:
        raise UserError(
            f"--vocab_size={config.vocab_size} has no room for the "
            f"{len(characters)} characters, which make {len(pieces)} pieces; "
            "raise it, or --min_frequency, or give --max_unique_chars."
        )
    lines = "".join(f"{piece}\n" for piece in pieces)
    atomic_files.write_text(config.output_file, lines)
    logging.info(
        "Wrote %s: %d pieces, %d of them characters, %d special",
        config.output_file,
        len(pieces),
        len(characters),
        len(special),
    )
    if len(pieces) < config.vocab_size:
        logging.info(
            "No other pair of pieces occurs %d times (--min_frequency)",
            config.min_frequency,
        )
    report("text held back", pieces, held_back)
    report("text learnt from", pieces, counts)


def count_words(
    config: Config, files: Sequence[str]
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Returns how often words occur: to learn from, and held back.

    Raises:
        UserError: a file is no text.
    """
    from bert.data.text import word_counts

    num_bytes = sum(file_bytes.size_and_time(path)[0] for path in files)
    logging.info("Counting words: %d files, %d bytes", len(files), num_bytes)
    with Progress(None, "bytes") as progress:
        counts = word_counts.count_files(
            files,
            config.do_lower_case,
            config.num_workers,
            holds_back=num_bytes >= _LEAST_BYTES_TO_HOLD_BACK,
            report=progress.update,
        )
    logging.info(
        "%d words, %d of them distinct", counts.total, counts.num_distinct
    )
    if len(counts.learnt) < counts.num_distinct:
        logging.info(
            "The pieces are made of the %d most frequent ones",
            len(counts.learnt),
        )
    return counts.learnt, counts.held_back


def report(text: str, pieces: Sequence[str], counts: Mapping[str, int]) -> None:
    """Logs how well the words of a text are cut into pieces."""
    from bert.data.text.tokenization import WordpieceTokenizer

    total = sum(counts.values())
    if not total:
        return
    tokenizer = WordpieceTokenizer({*pieces})
    num_pieces = num_unknown = 0
    for word, count in counts.items():
        cut = tokenizer.tokenize(word)
        num_pieces += count * len(cut)
        num_unknown += count * (cut == ["[UNK]"])
    logging.info(
        "%s, %d words: %.3f pieces a word, %.3f%% of the words [UNK]",
        text.capitalize(),
        total,
        num_pieces / total,
        100 * num_unknown / total,
    )


def main() -> None:
    """Flags → vocabulary."""
    learn_vocabulary(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
