"""Several tasks with one encoder, as a user trains and asks them."""

import json
import shutil

import numpy as np
import pytest

import bert.run_multitask as script
from bert.modeling import checkpoint
from bert.tasks import teachers
from bert.training import checkpointing, curves
from tests.modeling import checkpoints
from tests.scripts.runner import error_of, flags_of, model_flags, run
from tests.scripts.test_workers import logs_of, start_two

pytestmark = pytest.mark.slow

SPANS = {
    "name": "span",
    "task": "squad",
    "max_seq_length": 48,
    "max_query_length": 12,
    "doc_stride": 16,
}


@pytest.fixture(scope="module")
def files(golden, tmp_path_factory):
    """Returns a function: tasks to the file of them.

    Those of `taught` have a teacher.
    """
    folder = tmp_path_factory.mktemp("tasks")
    data = golden / "inputs"
    spans = {
        **SPANS,
        "train_file": str(data / "squad/train-v1.1.json"),
        "predict_file": str(data / "squad/dev-v1.1.json"),
    }

    words = {
        **{"name": "mlm", "task": "pretraining", "max_seq_length": 64},
        **{"max_predictions_per_seq": 10, "max_eval_steps": 2},
        "input_file": str(golden / "pretraining_data/default.tfrecord"),
    }

    def write(*names, taught=None):
        own = {
            name: {"name": name, "data_dir": str(data / name)} for name in names
        }
        own |= {"span": spans, "mlm": words}
        for name, teacher in (taught or {}).items():
            own[name] = {**own[name], "teacher_dir": teacher}
        listed = [own[name] for name in names]
        file = folder / f"{'-'.join([*names, *(taught or ())])}.json"
        file.write_text(json.dumps(listed))
        return f"--tasks={file}"

    return write


def command(golden, out, *args):
    return (
        "run_multitask.py",
        *model_flags(golden, out),
        *("--do_lower_case", "--do_train", "--train_batch_size=4"),
        *("--max_seq_length=32", "--random_seed=3", "--num_train_epochs=2"),
        *("--learning_rate=1e-3", "--log_steps=4", *args),
    )


@pytest.fixture(scope="module")
def all_tasks(golden, files, tmp_path_factory):
    """Flags of a training of all tasks, one with a teacher."""
    teacher = tmp_path_factory.mktemp("teachers") / "mrpc"
    run(*command(golden, teacher, files("mrpc"), "--num_train_epochs=1"))
    tasks = files("mrpc", "cola", "span", "mlm", taught={"mrpc": str(teacher)})
    return [
        *(tasks, "--teacher_annealing", "--eval_steps=6", "--save_best=mean"),
        *("--task_sampling=annealed", "--task_weights=mlm:1>0.1"),
        *("--save_checkpoints_steps=8", "--log_steps=1"),
        "--keep_checkpoint_max=0",  # a run goes on from the second
    ]


@pytest.fixture(scope="module")
def trained(golden, all_tasks, tmp_path_factory):
    """The output_dir of a command that did all that the script can."""
    out = tmp_path_factory.mktemp("trained") / "out"
    run(*command(golden, out, *all_tasks), "--do_eval", "--do_predict")
    return out


def figures(out):
    lines = (out / "eval_results.txt").read_text().splitlines()
    return {k: float(v) for k, v in (line.split(" = ") for line in lines)}


def test_figures_are_those_of_each_task_and_their_mean(trained):
    found = figures(trained)
    for name in ("mrpc", "cola", "span", "mlm"):
        own = figures(trained / "tasks" / name)
        step = own.pop("global_step")
        assert step == found["global_step"]
        assert own == {k: found[f"{name}/{k}"] for k in own}
    mean = (
        found["mrpc/eval_accuracy"]
        + found["cola/eval_accuracy"]
        + found["span/f1"] / 100
    ) / 3
    assert found["mean"] == pytest.approx(mean)
    # Masked words are not in the mean.
    assert 0 <= found["mlm/masked_lm_accuracy"] <= 1
    assert found["mlm/masked_lm_loss"] > 0
    best = checkpoint.Reader(str(trained / "best"))
    assert int(best.read("global_step")) == found["global_step"]


def test_each_task_is_a_model_that_all_commands_take(trained, tmp_path):
    line = tmp_path / "line.jsonl"
    line.write_text('{"text": "a warm kitchen", "text_pair": "plants"}\n')
    answers = [
        run("predict.py", *way, f"--input_file={line}").stdout
        for way in (
            (f"--model_dir={trained}", "--task_name=mrpc"),
            (f"--model_dir={trained}#mrpc",),
        )
    ]
    assert answers[0] == answers[1]
    assert set(json.loads(answers[0])) >= {"label", "probabilities"}
    export = tmp_path / "export"
    run(
        "export_model.py",
        *(f"--model_dir={trained}", "--task_name=mrpc"),
        f"--export_dir={export}",
    )
    exported = run(
        "predict.py", f"--model_dir={export}", f"--input_file={line}"
    ).stdout
    for one, two in zip(
        json.loads(answers[0])["probabilities"].values(),
        json.loads(exported)["probabilities"].values(),
        strict=True,
    ):
        assert one == pytest.approx(two, abs=1e-6)
    assert "one of cola, mlm, mrpc, span" in error_of(
        "predict.py", f"--model_dir={trained}", f"--input_file={line}"
    )


def test_masked_words_are_asked_and_drawn_as_curves(trained):
    asked = ("fill_mask.py", f"--model_dir={trained}", "--task_name=mlm")
    answer = json.loads(run(*asked, input="the [MASK] was warm\n").stdout)
    assert len(answer["masks"][0]) == 5
    found = curves.read(str(trained))
    for name in ("mlm/masked_lm_loss", "eval/mlm/masked_lm_accuracy"):
        assert found[name].steps


def test_a_teachers_share_falls_in_training(trained):
    kept = trained / "tasks"
    assert (kept / "mrpc" / teachers.FILE_NAME).exists()
    assert not (kept / "cola" / teachers.FILE_NAME).exists()
    found = curves.read(str(trained))
    first = found["mrpc/classification_loss"]
    soft = found["mrpc/distillation_loss"]
    assert first.steps == soft.steps
    assert first.values[0] < 0.2 < first.values[-1]
    shapes = checkpoint.Reader(str(trained)).shapes
    assert not [name for name in shapes if "teacher" in name]


def test_a_run_that_was_stopped_ends_with_the_same_bits(
    golden, all_tasks, trained, tmp_path
):
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    shutil.rmtree(out / "best")
    go_back(out, 8)
    run(*command(golden, out, *all_tasks))
    whole, again = checkpoint.Reader(str(trained)), checkpoint.Reader(str(out))
    assert whole.shapes == again.shapes
    for name in whole.shapes:
        np.testing.assert_array_equal(whole.read(name), again.read(name))


def test_a_list_of_one_task_is_its_own_script(golden, files, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    _, *words = command(golden, one, "--do_eval")
    data = golden / "inputs/mrpc"
    run("run_multitask.py", *words, files("mrpc"))
    _, *words = command(golden, other, "--do_eval")
    run("run_classifier.py", *words, f"--data_dir={data}", "--task_name=mrpc")
    kept = [
        {path.name for path in out.iterdir() if "events" not in path.name}
        for out in (one, other)
    ]
    assert kept[0] == kept[1]
    first, second = checkpoint.Reader(str(one)), checkpoint.Reader(str(other))
    assert first.shapes == second.shapes
    for name in first.shapes:
        np.testing.assert_array_equal(first.read(name), second.read(name))
    assert figures(one) == figures(other)


def test_a_task_may_not_be_lost_or_added_on_the_way(
    golden, files, trained, tmp_path
):
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    less = command(golden, out, files("mrpc", "cola"), "--num_train_epochs=9")
    assert "which --tasks lacks" in error_of(*less)
    # Those that are left are asked, be they one.
    for names in (("mrpc",), ("mrpc", "cola")):
        _, *words = command(golden, out, files(*names), "--nodo_train")
        run("run_multitask.py", *words, "--do_eval")
        before = figures(trained)
        for name in names:
            key = f"{name}/eval_loss"
            assert figures(out)[key] == pytest.approx(before[key])
    go_back(out, 8)
    names = ("mrpc", "cola", "span", "mlm", "mnli")
    more = command(golden, out, files(*names))
    assert "has no task mnli" in error_of(*more)


def train(command):
    """Runs a command in this process."""
    values = flags_of(script, *command[1:])
    script.train(script.Config.from_flags(values), values)


def go_back(out, step):
    """Lets a run go on from an earlier checkpoint."""
    state = f'model_checkpoint_path: "model.ckpt-{step}"\n'
    (out / "checkpoint").write_text(state)


@pytest.mark.parametrize(
    # Such a weight overflows in float16 until the scale of the loss is lower.
    ("precision", "weight"),
    [("bfloat16", "1"), ("float16", "1e5")],
)
def test_half_precision_goes_on_bit_for_bit(
    golden, files, tmp_path, precision, weight
):
    words = command(
        *(golden, tmp_path, files("mrpc", "mlm"), f"--precision={precision}"),
        *(f"--task_weights=mlm:{weight}", "--save_checkpoints_steps=4"),
        "--num_train_epochs=0.7",
    )
    train(words)
    whole = checkpoints.tensors(tmp_path)
    state = checkpointing.read_state(checkpoint.Reader(str(tmp_path)))
    assert bool(state.skipped_steps) == (precision == "float16")
    assert all(np.isfinite(value).all() for value in whole.values())
    go_back(tmp_path, 4)
    train(words)
    again = checkpoints.tensors(tmp_path)
    for name in whole.keys() | again.keys():
        np.testing.assert_array_equal(whole[name], again[name], name)


def test_two_workers_train_what_one_does(golden, files, tmp_path):
    drops = ["hidden_dropout_prob", "attention_probs_dropout_prob"]
    # Each worker would drop others; these heads drop nothing.
    dry = checkpoints.changed_config(
        golden, tmp_path, **dict.fromkeys(drops, 0.0)
    )
    teacher = str(golden / "model_base")
    tasks = files("span", "mlm", taught={"mlm": teacher})

    def words(out):
        return command(
            *(golden, tmp_path / out, tasks, "--num_train_epochs=0.4", dry),
            *("--learning_rate=1e-4", "--teacher_annealing", "--do_eval"),
            *("--eval_steps=4", "--save_best=mean"),
        )

    logs_of(start_two(*words("two")))
    train(words("one"))
    one, two = (checkpoints.tensors(tmp_path / n) for n in ("one", "two"))
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-5)
    assert figures(tmp_path / "two") == pytest.approx(
        figures(tmp_path / "one"), abs=1e-4
    )
