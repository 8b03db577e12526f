"""Several tasks with one encoder: the pipeline of run_multitask.py.

In output_dir are the checkpoints and what is said of all tasks; what is one
task's, its labels, records, results and reports, is in `tasks/NAME` there.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from absl import logging

from bert.errors import UserError
from bert.files import atomic_files, task_paths
from bert.tasks import (
    changed_config,
    finetune,
    outputs,
    resuming,
    run_weights,
    spec,
    task_run,
)
from bert.tasks.multitask.config import Config
from bert.tasks.multitask.listed import ListedTask, naming
from bert.tasks.task import Prepared
from bert.training.objectives import task_sampling

# TensorFlow is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    from bert.modeling.multitask_model import MultitaskModel
    from bert.training.head_check import Start
    from bert.training.length import Length
    from bert.training.objectives.multitask import Multitask

MEAN = "mean"
_RESULTS = "eval_results.txt"

Tasks = Mapping[str, ListedTask]


def run(
    config: Config, tasks: Tasks, weights: Mapping[str, task_sampling.Slope]
) -> None:
    """Checks what a run needs, then trains, evaluates and predicts.

    Args:
        config: of the whole run.
        tasks: by their names; each in an output_dir of its own.
        weights: of each task's loss.

    Raises:
        UserError: a file, an example or a checkpoint is not what it must be.
    """
    from bert.training.diary import Diary

    config = changed_config.applied(config)
    _check_outputs(config, tasks)
    start = run_weights.start(config)
    for name, task in tasks.items():
        own = _start_of(start, name, task, config)
        with naming(name):
            task.read(own)
    if start.is_resumed and config.do_train:
        _check_all_there(start, tasks)
    config.check_metric(_metric_names(tasks))
    prepared = finetune.prepare(config)
    for name, task in tasks.items():
        with naming(name):
            task.prepare(prepared)
    if config.do_train:
        task_run.length_of(config, _num_examples(tasks)).check(
            config.train_batch_size
        )
        for task in tasks.values():
            resuming.check_early(task.config, task.model_task, task.labels)
    with (
        atomic_files.leaving_no_folder(config.output_dir),
        prepared.worker_barrier(),
    ):
        with prepared.strategy().scope():
            _check_model(config, tasks, start, prepared)
        with (
            _alone(config, tasks, prepared.is_chief),
            Diary(
                *(config, lambda: _data_files(tasks), prepared.strategy()),
                prepared.is_chief,
            ) as diary,
        ):
            for task in tasks.values():
                task.ask_teacher()
            with prepared.strategy().scope():
                of_all = _Run(config, tasks, weights, prepared)
                nothing = of_all.run(diary.figures)
    if nothing and (config.do_eval or config.do_predict):
        logging.warning("%s", nothing)  # once more, as the last line


class _Run:
    """What `run` does once all is checked; in the strategy's scope.

    Args:
        config: of the whole run.
        tasks: prepared, by name.
        weights: of each task's loss.
        prepared: what the run works with.
    """

    def __init__(
        self,
        config: Config,
        tasks: Tasks,
        weights: Mapping[str, task_sampling.Slope],
        prepared: Prepared,
    ):
        self._config = config
        self._tasks = tasks
        self._weights = weights
        self._prepared = prepared

    def run(self, figures: dict[str, Any]) -> str | None:
        """Trains, evaluates and predicts.

        Args:
            figures: gets those of the evaluation.

        Returns:
            Why there was nothing to train; None where there was.
        """
        from bert.training import results
        from bert.training import run as training_run

        config, nothing = self._config, None
        if config.do_train:
            nothing = self._train()
        if not (config.do_eval or config.do_predict):
            return nothing
        model = make_model(self._tasks, self._prepared)
        used = run_weights.used(config)
        step = training_run.load_trained(model, *used)
        found = {}
        for name, task in self._tasks.items():
            logging.info("***** Task %s *****", name)
            found[name] = task.use(model.tasks[name], step)
        if config.do_eval and self._prepared.is_chief:
            figures.update(_joined(self._tasks, found))
            results.write_eval_results(config.output_dir, figures, step)
        return nothing

    def _train(self) -> str | None:
        from bert.training import run as training_run

        config = run_weights.with_start(self._config)
        evaluates = {n: t.make_evaluate() for n, t in self._tasks.items()}
        logging.info("***** Running training *****")
        length = task_run.length_of(config, _num_examples(self._tasks))
        feed = self._feed(length)
        for name, task in self._tasks.items():
            logging.info("  Num examples of %s = %d", name, task.num_examples)

        def make_evaluate(
            model: "MultitaskModel",
        ) -> Callable[[], Mapping[str, float]]:
            each = {
                name: make(model.tasks[name])
                for name, make in evaluates.items()
                if make
            }
            return lambda: _joined(
                self._tasks, {name: figures() for name, figures in each.items()}
            )

        return training_run.train(
            config,
            length,
            lambda seed: make_model(self._tasks, self._prepared, seed),
            feed,
            make_evaluate if config.eval_steps else None,
            self._keep,
        )

    def _keep(self) -> None:
        """Keeps what each task is trained with, and what all are."""
        from bert.model_folder import resume_file

        for task in self._tasks.values():
            task.keep()
        resume_file.go_on(
            self._config.output_dir,
            {"tasks": sorted(self._tasks)},
            {
                "task_sampling": self._config.task_sampling,
                "task_weights": task_sampling.weights_text(self._weights),
            },
        )

    def _feed(self, length: "Length") -> "Multitask":
        from bert.training.objectives.multitask import Multitask

        config = self._config
        sizes = {name: task.num_examples for name, task in self._tasks.items()}
        return Multitask(
            {name: task.feed() for name, task in self._tasks.items()},
            lambda seed: task_sampling.TaskOrder(
                sizes,
                config.task_sampling,
                config.num_train_epochs,
                length.num_train_steps,
                seed,
            ),
            self._weights,
            config.train_batch_size,
        )


def make_model(
    tasks: Tasks, prepared: Prepared, seed: int | None = None
) -> "MultitaskModel":
    """Returns one encoder with a head for each task.

    Args:
        tasks: prepared.
        prepared: what the run works with.
        seed: of the start weights.
    """
    from bert.modeling import task_model
    from bert.modeling.backbones.choice import make_backbone
    from bert.modeling.multitask_model import MultitaskModel

    backbone = make_backbone(
        prepared.bert_config, **prepared.model_options(seed)
    )
    with task_model.sharing(backbone):
        models = {name: task.make_model(seed) for name, task in tasks.items()}
    return MultitaskModel(backbone, models)


def _check_outputs(config: Config, tasks: Tasks) -> None:
    """Checks that nothing in the way would be replaced."""
    inputs = [path for task in tasks.values() for path in task.input_files]
    outputs.check(config, [_RESULTS], [config.tasks, *inputs])
    for task in tasks.values():
        task.check_outputs()


def _start_of(
    start: "Start", name: str, task: ListedTask, config: Config
) -> "Start":
    """Returns what one task begins with: its head, where there is one.

    Raises:
        UserError: the checkpoint lacks it, and nothing trains it anew; or see
            `head_check.check_head`.
    """
    from bert.modeling import checkpoint_names, checkpoint_reader
    from bert.training import head_check

    if start.reader is None:
        return start
    kept = checkpoint_names.tasks_of(start.reader.shapes)
    if name not in kept:
        if start.is_resumed or not config.do_train:
            raise UserError(
                f"{start.reader.prefix} has no task {name}, but "
                f"{', '.join(kept) or 'none of several'}; train it in another "
                "--output_dir, from this one (--init_checkpoint)."
            )
        return start
    head = task.spec.needed_weight
    assert head is not None, task.spec.task
    prefix = task_paths.join(start.reader.prefix, name)
    return head_check.check_head(
        start._replace(reader=checkpoint_reader.Reader(prefix)),
        config.output_dir,
        head,
        trains=config.do_train,
        uses_pooler=task.spec.uses_pooler,
    )


def _check_all_there(start: "Start", tasks: Tasks) -> None:
    """Raises UserError where a run that goes on would lose a task."""
    from bert.modeling import checkpoint_names

    assert start.reader is not None
    kept = checkpoint_names.tasks_of(start.reader.shapes)
    if lost := [name for name in kept if name not in tasks]:
        raise UserError(
            f"The run in {os.path.dirname(start.reader.prefix)} has the task "
            f"{lost[0]}, which --tasks lacks; name it there, or another "
            "--output_dir."
        )


def _metric_names(tasks: Tasks) -> list[str]:
    own = [
        f"{name}/{metric}"
        for name, task in tasks.items()
        for metric in task.metric_names()
    ]
    return [MEAN, *own]


def _joined(
    tasks: Tasks, figures: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Returns the figures of all tasks, and the mean of their first ones."""
    joined = {
        f"{name}/{key}": value
        for name, own in figures.items()
        for key, value in own.items()
    }
    # Masked words help other tasks; what counts is how these fare.
    counted = {
        name: own
        for name, own in figures.items()
        if not tasks[name].spec.is_pretraining
    }
    firsts = []
    for name, own in (counted or figures).items():
        numbers = {k: v for k, v in own.items() if not isinstance(v, str)}
        if numbers:
            first = numbers[spec.first_figure(numbers)]
            firsts.append(float(first) * tasks[name].spec.unit)
    return {**joined, MEAN: sum(firsts) / len(firsts)} if firsts else joined


def _num_examples(tasks: Tasks) -> int:
    return sum(task.num_examples for task in tasks.values())


def _check_model(
    config: Config, tasks: Tasks, start: "Start", prepared: Prepared
) -> None:
    """Does for all tasks what `finetune.check_model` does for one."""
    from bert.training import resume, strategy

    finetune.check_weights(
        config,
        start,
        lambda: make_model(tasks, prepared, 0),
        _num_examples(tasks),
    )
    if config.do_train:
        resuming.check_best(config.output_dir)
        for task in tasks.values():
            resuming.check(task.config, task.model_task, task.labels)
    if strategy.is_chief():
        for task in tasks.values():
            resume.prepare_output_dir(task.config.output_dir)


@contextlib.contextmanager
def _alone(config: Config, tasks: Tasks, is_chief: bool) -> Iterator[None]:
    """Keeps other trainings out of output_dir, and of each task's folder."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(resuming.alone(config, [_RESULTS], is_chief))
        for task in tasks.values():
            stack.enter_context(
                resuming.alone(task.config, task.written, is_chief)
            )
        yield


def _data_files(tasks: Tasks) -> list[Any]:
    """Returns the files of examples, each set with its task's name."""
    return [
        (f"{name}/{which}", path, rows)
        for name, task in tasks.items()
        for which, path, rows in task.data_files()
    ]
