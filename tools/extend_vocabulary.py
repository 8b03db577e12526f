"""Puts new words into a trained model: its vocabulary and its word table.

The result is a model folder, to go on pre-training with. See
docs/own_language.md.
"""

import dataclasses
from collections.abc import Sequence

from absl import flags, logging

from bert.cli import command_line, environment, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.files import flag_paths, text_input
from bert.model_folder.given import Given


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values, takes_saved_models=False)
    shared_flags.define_required_strings(
        flag_values,
        output_dir="Folder that gets the model; it is made if need be.",
    )
    shared_flags.define_strings(
        flag_values,
        new_tokens="File with the new words, one a line; ## before what stands "
        "inside words.",
        input_file="Instead: text of the new domain, files or glob patterns, "
        "separated by commas. Its words that are cut into most pieces in all "
        "become new ones.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        num_new_tokens=(1000, "Of input_file: new words at most."),
        min_frequency=(5, "Of input_file: how often a word occurs at least."),
    )
    shared_flags.define_text_flags(flag_values)
    shared_flags.define_bools(
        flag_values,
        append="Whether all new words get ids after the others. Default: they "
        "take the ids of [unused0] … first.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    output_dir: str
    new_tokens: str | None
    input_file: str | None
    num_new_tokens: int
    min_frequency: int
    num_workers: int | None
    append: bool
    overwrite: bool

    def __post_init__(self):
        if (self.new_tokens is None) == (self.input_file is None):
            both = "both" if self.new_tokens is not None else "neither"
            raise UserError(
                "Expected the new words in --new_tokens, or text to take them "
                f"from in --input_file. Received: {both}."
            )
        sizes = (self.num_new_tokens, self.min_frequency)
        if self.new_tokens is not None and sizes != (1000, 5):
            raise UserError(
                "--num_new_tokens and --min_frequency are for --input_file: "
                "all words of --new_tokens are taken. Received: "
                f"{sizes[0]} and {sizes[1]}; leave them out."
            )


def extend_vocabulary(config: Config) -> None:
    """Model and new words → model with more rows.

    Raises:
        UserError: a file is missing or wrong, or in the way.
    """
    environment.prepare()
    # Here, so that --help needs no TensorFlow.
    from bert.conversion import output_folder, vocabulary, vocabulary_growth
    from bert.conversion.model import Model, make_task
    from bert.data.text import tokenizers
    from bert.model_folder import model_files
    from bert.modeling.checkpoint_reader import Reader
    from bert.modeling.config import read_config
    from bert.tasks import spec

    output_folder.check(
        config.output_dir, output_folder.ORIGINAL, config.overwrite
    )
    files = model_files.find(config.model_dir, config)
    vocab_file, lower = model_files.words_of(files, config.model_dir)
    if tokenizers.kind_of(vocab_file) != tokenizers.WORD_PIECES:
        raise UserError(
            "Expected a model with word pieces, which can be added to. "
            f"Received: {vocab_file}, of byte pairs, which come from "
            "merges."
        )
    check_words(config.model_dir, vocab_file, lower)
    sizes = read_config(files.bert_config_file)
    text = vocabulary.read_file(vocab_file, sizes.vocab_size)
    tokens = vocabulary.tokens_of(text)
    new = (
        read_tokens(config.new_tokens, lower)
        if config.new_tokens is not None
        else find_words(config, vocab_file, lower)
    )
    growth = vocabulary_growth.grow(
        tokens, new, may_use_unused=not config.append
    )
    if not growth.pieces:
        raise UserError(
            f"Expected new words. Received: {len(new)}, all of which the "
            f"vocabulary {vocab_file} has."
        )
    reader = Reader(files.checkpoint)
    tensors = {name: reader.read(name) for name in reader.shapes}
    task = files.task
    if task.task == "features" and vocabulary_growth.BIAS in tensors:
        row = spec.find("pretraining")
        task = make_task(row, lower, task.max_seq_length)
    sizes.vocab_size = max(sizes.vocab_size, len(growth.tokens))
    model = Model(
        sizes,
        vocabulary_growth.grow_tensors(tensors, growth),
        "".join(f"{token}\n" for token in growth.tokens).encode(),
        task,
        files.labels,
    )
    output_folder.make(
        config.output_dir,
        output_folder.ORIGINAL,
        output_folder.prepare_original(model),
    )
    logging.info(
        "Wrote %s: %d new words (%d were there), %d of them in place of "
        "unused ones, %d pieces in all",
        *(config.output_dir, len(growth.pieces), len(new) - len(growth.pieces)),
        sum(index < len(tokens) for index in growth.pieces),
        len(growth.tokens),
    )


def check_words(model_dir: str, vocab_file: str, do_lower_case: bool) -> None:
    """Raises UserError where a flag contradicts what a model's folder says."""
    from bert.model_folder import same_words

    known = same_words.casing(model_dir)
    if known not in (None, do_lower_case):
        raise UserError(
            f"--do_lower_case={do_lower_case} is not how the model in "
            f"{model_dir} was trained: its task.json says {known}; leave the "
            "flag out."
        )
    if other := same_words.other_vocab(model_dir, vocab_file):
        raise UserError(
            f"--vocab_file={vocab_file} has other words than the model's own, "
            f"{other}; leave the flag out."
        )


def read_tokens(path: str, do_lower_case: bool) -> list[str]:
    """Reads words, one a line.

    Raises:
        UserError: the file cannot be read, or a line is no word.
    """
    from bert.conversion import vocabulary_growth

    try:
        lines = text_input.read(path).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"--new_tokens={path}: expected a text file in UTF-8, a word a "
            f"line. Received: {reason}."
        ) from error
    words = []
    for number, line in enumerate(lines, 1):
        if not (word := line.strip()):
            continue
        try:
            vocabulary_growth.check_token(word, do_lower_case)
        except UserError as error:
            raise UserError(f"{path}, line {number}: {error}") from error
        words.append(word)
    if not words:
        raise UserError(f"--new_tokens={path}: expected words. Received: none.")
    return list(dict.fromkeys(words))


def find_words(
    config: Config, vocab_file: str, do_lower_case: bool
) -> Sequence[str]:
    """Returns the words of a text that would save most pieces, those first.

    Raises:
        UserError: a file is missing or no text, or has no such word.
    """
    from bert.data.text import word_counts
    from bert.data.text.tokenization import FullTokenizer

    files = flag_paths.matching_files(config.input_file or "", "input_file")
    counts = word_counts.count_files(files, do_lower_case, config.num_workers)
    cut = FullTokenizer(vocab_file, do_lower_case).wordpiece_tokenizer.tokenize

    def num_saved(word: str) -> int:
        pieces = cut(word)
        # An unknown word loses all its characters.
        return (len(word) if pieces == ["[UNK]"] else len(pieces)) - 1

    saved = {
        word: count * num_saved(word)
        for word, count in counts.learnt.items()
        if count >= config.min_frequency and len(word) <= 200
    }
    ranked = sorted(saved, key=lambda word: (-saved[word], word))
    found = [w for w in ranked[: config.num_new_tokens] if saved[w] > 0]
    if not found:
        raise UserError(
            f"--input_file={config.input_file}: expected words that occur "
            f"{config.min_frequency} times (--min_frequency) and are cut into "
            "pieces. Received: none."
        )
    return found


def main() -> None:
    """Flags → model folder."""
    extend_vocabulary(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
