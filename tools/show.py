"""Shows what a model makes of a text: a page with its answer and attention.

One file of HTML, which needs no network: the pieces of the text, which pieces
they look at, and the answer, marked in the text. See docs/showing.md.
"""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from absl import flags, logging

from bert.cli import command_line, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.files import atomic_files, flag_paths
from bert.model_folder.given import Given
from bert.tasks import spec

if TYPE_CHECKING:
    from bert.model_folder.files import ModelFiles
    from bert.serving.attention import Attention

# What each task is asked with: its flags, of which so many are needed.
_ASKS = {
    "classification": (("text", "pair"), 1),
    "features": (("text", "pair"), 1),
    "multiple_choice": (("text", "choice"), 2),
    "ner": (("text",), 1),
    "pretraining": (("text",), 1),
    "squad": (("question", "context"), 2),
}
# Where predict.py's objects have other names than the flags.
_NAMES = {"pair": "text_pair", "choice": "choices"}


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values, takes_saved_models=False)
    source_flags.define_task_flags(flag_values, spec.TASKS)
    shared_flags.define_strings(
        flag_values,
        text="The text. Of a pre-trained model it may have [MASK]s.",
        pair="The second text of a pair.",
        question="Of squad: the question.",
        context="Of squad: the paragraph that answers it.",
    )
    flags.DEFINE_multi_string(
        "choice",
        [],
        "Of multiple_choice: a choice",
        flag_values=flag_values,
    )
    shared_flags.define_integers(
        flag_values, lower_bound=1, top_k=(5, "Words to give for each [MASK].")
    )
    shared_flags.define_required_strings(
        flag_values, output_file="The page to write, a file of HTML."
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    text: str | None
    pair: str | None
    question: str | None
    context: str | None
    choice: list[str]
    top_k: int
    output_file: str

    def __post_init__(self):
        if not self.asked:
            raise UserError(
                "Expected a text to show (--text; of squad --question and "
                "--context). Received: none."
            )

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked, by flag."""
        names = ("text", "pair", "question", "context", "choice")
        values = {name: getattr(self, name) for name in names}
        return {k: v for k, v in values.items() if v not in (None, [])}

    def request(self, task: str) -> dict[str, Any]:
        """Returns what is asked, as predict.py takes it.

        Raises:
            UserError: a model of this task is not asked so.
        """
        names, num_needed = _ASKS[task]
        asked = self.asked
        wrong = [name for name in asked if name not in names]
        missing = [name for name in names[:num_needed] if name not in asked]
        if wrong or missing:
            received = f"--{wrong[0]}" if wrong else f"no --{missing[0]}"
            raise UserError(
                f"The model in {self.model_dir} is of the task {task}, which "
                f"is asked with {' and '.join(f'--{n}' for n in names)}. "
                f"Received: {received}."
            )
        return {_NAMES.get(name, name): asked[name] for name in asked}


class Seen(NamedTuple):
    """What a model makes of a text.

    Attributes:
        answer: as predict.py or fill_mask.py gives it; None: it says nothing.
        sequences: what it saw: one, or several windows or choices.
    """

    answer: dict[str, Any] | None
    sequences: "Sequence[Attention]"


def show(config: Config) -> None:
    """Loads the model, asks it, and writes the page.

    Raises:
        UserError: a file is missing or wrong, or the model cannot be asked so.
    """
    flag_paths.check_writable(config.output_file, "output_file", "a page")
    # Here, so that --help needs no TensorFlow.
    from bert.model_folder import locate, model_files

    if locate.is_saved_model(config.model_dir):
        raise UserError(
            "Expected the folder of a checkpoint, whose attention can be seen. "
            f"Received: --model_dir={config.model_dir}, a SavedModel; name the "
            "folder that it was exported from."
        )
    source = model_files.find(config.model_dir, config)
    task = "pretraining" if _has_words(config, source) else source.task.task
    request = config.request(task)
    seen = (
        _ask_words(config, request)
        if task == "pretraining"
        else _ask(config, source, request)
    )
    page = _page(config, source, task, request, seen)
    atomic_files.write_text(config.output_file, page)
    size = len(page.encode()) / 1e6
    logging.info("Wrote %s, %.1f MB", config.output_file, size)


def _has_words(config: Config, source: "ModelFiles") -> bool:
    """Whether a model can say what stands for [MASK].

    The folder of a published checkpoint says no task, and is of features.
    """
    from bert.modeling.checkpoint_reader import Reader

    if config.task or source.task.task != "features":
        return source.task.spec.is_pretraining
    needed = spec.find("pretraining").needed_weight
    return needed in Reader(source.checkpoint).shapes


def _ask(config: Config, source: "ModelFiles", request: dict[str, Any]) -> Seen:
    """Asks a model of any other task than pre-training."""
    from bert.serving import loaded_model
    from bert.serving.predictor import Predictor

    model = loaded_model.of_files(source, config.model_dir)
    model.inference.check_requests(config.model_dir)
    predictor = Predictor(model)
    (sequences,) = predictor.attention([request])
    (answer,) = predictor.predict([request])
    return Seen(answer, sequences)


def _ask_words(config: Config, request: dict[str, Any]) -> Seen:
    """Asks a pre-trained model."""
    from bert.serving.masked_words import MaskedWords
    from bert.tasks.pretraining.inference import MASK
    from bert.tasks.requests import UnfitError

    words = MaskedWords.load(config.model_dir, given=config)
    words.check_top_k(config.top_k)
    has_masks = MASK in request["text"]
    try:
        ask = words.request if has_masks else words.whole_text
        text = ask(request["text"])
    except UnfitError as error:
        raise UserError(f"--text: expected {error}.") from error
    answer = next(words.fill([text], config.top_k)) if has_masks else None
    return Seen(answer, [words.attention(text)])


def _page(
    config: Config,
    source: "ModelFiles",
    task: str,
    request: dict[str, Any],
    seen: Seen,
) -> str:
    """Returns the page."""
    from bert.pages import answers, attention, frame
    from bert.tasks.tagging import schemes

    tags = schemes.read(source.labels) if task == "ner" else None
    asked = answers.Asked(request, tags)
    parts = [
        f"<p>{frame.escape(name)}: {frame.text(value)}</p>"
        for name, given in config.asked.items()
        for value in (given if isinstance(given, list) else [given])
    ]
    if seen.answer is not None:
        name = spec.find(task, source.task.kind).name
        shown = answers.shown(name, seen.answer, asked)
        parts.append(frame.section("Answer", *shown))
    parts += _attention(seen.sequences)
    model = frame.escape(os.path.realpath(source.checkpoint))
    parts.append(f'<p class="muted">{model} ({frame.escape(task)})</p>')
    return frame.page(
        "What a model makes of a text",
        parts,
        style=answers.STYLE + attention.STYLE,
        script=attention.script(),
    )


def _attention(sequences: "Sequence[Attention]") -> Iterator[str]:
    """Yields the sections of sequences, as many as a page may hold.

    Raises:
        UserError: not even the first one fits.
    """
    from bert.pages import attention, frame

    room = attention.MOST_WEIGHTS
    for number, (tokens, probs) in enumerate(sequences, start=1):
        room -= probs.size
        if room < 0 and number == 1:
            layers, heads = probs.shape[:2]
            most = attention.most_pieces(layers, heads)
            raise UserError(
                f"A page shows at most {most} pieces of a model of {layers} "
                f"layers and {heads} heads. Received: a text of {len(tokens)}; "
                f"shorten it, or say --max_seq_length={most}."
            )
        if room < 0:
            left = len(sequences) - number + 1
            yield f"<p>{left} more would make this page too large.</p>"
            return
        name = "Attention"
        if len(sequences) > 1:
            name += f" {number} of {len(sequences)}"
        part = attention.part(name, tokens, probs)
        yield frame.section(name, part)


def main(_: object = None) -> None:
    """Flags → model → answer and attention → page."""
    show(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
