"""A model behind the server: one version of it, loaded, with its queue.

Imports TensorFlow for what TensorFlow computes alone. Letters of shapes: B
batch, S sequence.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bert.data.records import equal_rows, packing
from bert.files import file_bytes, task_paths
from bert.model_folder import compressed
from bert.model_folder.files import ModelFiles
from bert.model_folder.given import Given
from bert.serving import loaded_model, row_batches
from bert.serving.http_batches import Batches, Settings
from bert.serving.loaded_model import LoadedModel
from bert.tasks.pretraining.inference import MASK, MaskedText
from bert.tasks.requests import UnfitError, check_finite, copied_of
from bert.tasks.spec import INPUTS

if TYPE_CHECKING:
    from bert.serving.masked_words import MaskedWords

_TOP_K = 5  # as of fill_mask.py
_TRIAL_IDS = 8
# A row of ids, `spec.INPUTS` by name; or, of pre-trained models, a text.
_Row = Mapping[str, Sequence[int]] | MaskedText


class Asked(NamedTuple):
    """A row of a request, on its way through the model.

    Attributes:
        rows: what the model must compute, any number.
        answer: what it has computed of these → what is said; UserError where
            an output is not a number.
    """

    rows: Sequence[Any]
    answer: Callable[[Sequence[Any]], Any]


class ServedModel:
    """A version of a model, ready to answer.

    Args:
        source: its files, of `find`.
        folder: where they are from.
        settings: how rows are computed together.
        computed: see `Batches`.

    Attributes:
        task: what the model is for.
        version: the step of its training; of an export without one, the
            number that its folder is called; else 1.
        about: see `Inference.about`.
        outputs: by name, the NumPy type and the shape; -1: any size.
        batches: computes the rows of `Asked`.

    Raises:
        UserError: a file is damaged, or does not fit the others.
    """

    def __init__(
        self,
        source: ModelFiles,
        folder: str,
        settings: Settings,
        computed: Callable[[int, float], None] = lambda rows, seconds: None,
    ):
        self.task = source.task
        self.version = _version(folder, source)
        self._words: MaskedWords | None = None
        if source.task.spec.is_pretraining:
            from bert.serving import masked_words

            self._words = masked_words.MaskedWords(
                source, folder, batch_size=2**31
            )
            self._model = _of_graph(self._words, folder)
        else:
            self._model = loaded_model.of_files(source, folder)
            self._model.inference.check_requests(folder)
        self._inference = self._model.inference
        self.about = self._inference.about()
        self.outputs = self._try_out()
        self.batches = Batches(self._compute, _length, settings, computed)

    def ask(self, value: Any) -> Asked:
        """Returns a row of a request, checked.

        Args:
            value: what predict.py (of a pre-trained model, fill_mask.py)
                takes, or {"input_ids": […], …}, what the export takes.

        Raises:
            UnfitError: it is neither.
        """
        if isinstance(value, dict) and "input_ids" in value:
            row = self._ids(value)
            return Asked([row], lambda found: self._named(row, found[0]))
        copied = copied_of(value)
        if self._words:
            text = self._words.request(value)
            return Asked([text], lambda found: {**copied, **found[0]})
        asked = self._inference.ask(self._inference.request(value))
        rows = [packing.pad(row, len(row.ids)) for row in asked.rows]
        return Asked(
            rows,
            lambda found: {
                **copied,
                **self._inference.answer(asked.request, found),
            },
        )

    def _ids(self, value: Mapping[str, Any]) -> dict[str, list[int]]:
        """Returns a row of ids, checked: one bad id would spoil a batch."""
        config = self._inference.config
        most = config.max_position_embeddings
        limits = (config.vocab_size, 2, config.type_vocab_size)
        length = len(ids) if isinstance(ids := value["input_ids"], list) else 0
        for name, limit in zip(INPUTS, limits, strict=True):
            row = value.get(name)
            if (
                not isinstance(row, list)
                or not 1 <= len(row) == length <= most
                or not all(type(i) is int and 0 <= i < limit for i in row)
            ):
                raise UnfitError(
                    f"{', '.join(INPUTS)} of one length from 1 to {most}, "
                    f"lists of integers ({name} from 0 to {limit - 1})"
                )
        return {name: value[name] for name in INPUTS}

    def _named(
        self, row: Mapping[str, list[int]], found: Mapping[str, np.ndarray]
    ) -> Any:
        """Returns the export's outputs of a row, without others' padding.

        As from TensorFlow Serving, a single one goes without its name.
        """
        outputs: dict[str, Any] = {}
        for name, values in found.items():
            if name in self._inference.token_outputs:
                values = values[: len(row["input_ids"])]
            check_finite(values)
            outputs[name] = values.tolist()
        return outputs if len(outputs) > 1 else outputs.popitem()[1]

    def _compute(self, rows: Sequence[_Row]) -> list[Any]:
        """Returns of each row: arrays by name; of a text, its answer.

        Equal rows are computed once.
        """
        ids = [row for row in rows if not isinstance(row, MaskedText)]
        found: list[Mapping[str, Any]] = [{}] * len(ids)
        if ids:
            groups = equal_rows.places(
                tuple(tuple(row[name]) for name in INPUTS) for row in ids
            )
            values = self._model.compute(
                row_batches.arrays([ids[first] for first, *_ in groups])
            )
            each = zip(*values.values(), strict=True)
            for places, row in zip(groups, each, strict=True):
                for place in places:
                    found[place] = dict(zip(values, row, strict=True))
        if len(ids) == len(rows) or self._words is None:
            return found
        texts = [row for row in rows if isinstance(row, MaskedText)]
        top_k = min(_TOP_K, self._inference.config.vocab_size)
        answers = self._words.fill(texts, top_k)
        of_ids = iter(found)
        return [
            next(answers) if isinstance(row, MaskedText) else next(of_ids)
            for row in rows
        ]

    def _try_out(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Computes a row, so that the first request need not wait for it.

        Returns:
            `outputs`.

        Raises:
            UserError: the model cannot compute.
        """
        length = min(_TRIAL_IDS, self._inference.config.max_position_embeddings)
        trials: list[_Row] = [{name: [0] * length for name in INPUTS}]
        if self._words:
            trials.append(self._words.request(MASK))
        found: Mapping[str, np.ndarray] = self._compute(trials)[0]
        outputs = {}
        for name, values in found.items():
            shape = values.shape
            if name in self._inference.token_outputs:
                shape = (-1, *shape[1:])
            outputs[name] = values.dtype.name, (-1, *shape)
        return outputs


def find(folder: str, given: Given) -> ModelFiles:
    """Returns a model's files, read as a check.

    Raises:
        UserError: one is missing or damaged, or does not fit the others.
    """
    files = loaded_model.find(folder, given)
    loaded_model.tokenizer_of(files, folder)
    if files.format:
        return files
    from bert.model_folder import locate
    from bert.modeling.checkpoint_names import ADAM_SUFFIXES
    from bert.modeling.checkpoint_reader import Reader

    if not locate.is_saved_model(folder):  # else its weights have been read
        reader = Reader(files.checkpoint)
        reader.check_values(
            name for name in reader.shapes if not name.endswith(ADAM_SUFFIXES)
        )
    return files


def stamp(folder: str, given: Given) -> tuple[object, ...]:
    """Returns what differs when there is a newer checkpoint or export.

    Raises:
        UserError: there is none.
        OSError: a file is not there.
    """
    if name := compressed.format_of(folder, given.runtime):
        path = compressed.files_of(folder)[name]
        return ((path, file_bytes.size_and_time(path)),)
    from bert.model_folder import locate, weights

    if locate.is_saved_model(folder):
        files = [
            os.path.join(folder, "saved_model.pb"),
            os.path.join(folder, "variables", "variables.index"),
        ]
    else:
        files = [task_paths.index_of(weights.choose(folder, given.checkpoint))]
    return tuple((path, file_bytes.size_and_time(path)) for path in files)


def _version(folder: str, source: ModelFiles) -> int:
    if source.format is None:
        from bert.modeling.checkpoint_names import GLOBAL_STEP
        from bert.modeling.checkpoint_reader import Reader

        reader = Reader(source.checkpoint)
        if GLOBAL_STEP in reader:
            return int(reader.read(GLOBAL_STEP))
    name = os.path.basename(folder.rstrip("/"))
    return int(name) if name.isascii() and name.isdigit() else 1


def _of_graph(words: "MaskedWords", folder: str) -> LoadedModel:
    """Returns a pre-trained model as a function of ids."""
    from bert.model_folder import locate

    graph = None if locate.is_saved_model(folder) else words.graph
    return loaded_model.of_tensorflow(words.graph.inference, graph, folder)


def _length(row: _Row) -> int:
    if isinstance(row, MaskedText):
        return len(row.packed.ids)
    return len(row["input_ids"])
