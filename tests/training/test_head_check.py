import json
import shutil

import pytest

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.modeling.config import BertConfig
from bert.modeling.heads import SpanModel
from bert.tasks import run_weights
from bert.training import head_check
from tests.training.configs import training_config

CLASSIFIER = "output_weights"
SPAN = "cls/squad/output_weights"
TOKEN = "cls/token/output_weights"


def find_start(output_dir, init_checkpoint, head, *, trains, **kwargs):
    """Checks what a run with these flags begins with."""
    config = training_config(
        output_dir=output_dir, init_checkpoint=init_checkpoint, do_train=trains
    )
    start = run_weights.start(config)
    return head_check.check_head(
        start, output_dir, head, trains=trains, **kwargs
    )


def trained(golden, folder, name):
    for path in (golden / name).glob("model.ckpt-12.*"):
        shutil.copy(path, folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-12"')
    return str(folder)


def without(source, target, *names):
    """Writes a checkpoint that lacks some tensors."""
    reader = checkpoint.Reader(str(source))
    kept = [name for name in reader.shapes if name not in names]
    checkpoint.write_files(str(target), {n: reader.read(n) for n in kept})
    return str(target)


def config_of(golden, **changes):
    path = golden / "model_base/bert_config.json"
    return BertConfig(**{**json.loads(path.read_text()), **changes})


@pytest.mark.parametrize("trains", [True, False])
def test_a_head_of_the_tasks_size_passes(golden, tmp_path, trains):
    folder = trained(golden, tmp_path, "train_classifier")
    for output_dir, init in ((folder, None), ("/nothing", folder)):
        start = find_start(
            output_dir, init, CLASSIFIER, trains=trains, uses_pooler=True
        )
        start.check_outputs(3)
        assert start.reader.prefix.endswith("model.ckpt-12")
        assert start.is_resumed == (output_dir == folder)


def test_a_head_may_be_smaller_where_it_grows(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_classifier")  # of 3 labels
    start = find_start("/nothing", folder, CLASSIFIER, trains=True)
    start.check_outputs(4, grows=True)
    with pytest.raises(UserError, match=r"3 label\(s\), the task has 4"):
        start.check_outputs(4)
    with pytest.raises(UserError, match=r"3 label\(s\), the task has 2"):
        start.check_outputs(2, grows=True)
    goes_on = find_start(folder, None, CLASSIFIER, trains=True)
    with pytest.raises(UserError, match=r"3 label\(s\), the task has 4"):
        goes_on.check_outputs(4, grows=True)
    config = config_of(golden)
    grown = lambda: ClassifierModel(config, 4)  # noqa: E731
    head_check.check_model(start, grown, num_train_steps=1, grows=True)
    with pytest.raises(UserError, match=r"output_weights is \[3, 32\]"):
        head_check.check_model(start, grown, num_train_steps=1)


@pytest.mark.parametrize("head", [CLASSIFIER, SPAN, TOKEN])
def test_training_may_begin_without_a_head(golden, tmp_path, head):
    pretrained = str(golden / "model_base")
    foreign = "train_squad" if head == CLASSIFIER else "train_classifier"
    foreign = trained(golden, tmp_path, foreign)
    for init in (pretrained, foreign, None):
        start = find_start("/nothing", init, head, trains=True)
        assert start.num_outputs is None
        start.check_outputs(2)


@pytest.mark.parametrize("head", [CLASSIFIER, SPAN, TOKEN])
def test_without_training_there_must_be_a_head(golden, head):
    with pytest.raises(
        UserError,
        match=rf"bert_model\.ckpt has no {head}, but .*: train it first "
        r"\(--do_train\), or check --output_dir=/typo, which has no check",
    ):
        find_start("/typo", str(golden / "model_base"), head, trains=False)


@pytest.mark.parametrize(
    "name",
    ["output_bias", "bert/pooler/dense/kernel", "bert/pooler/dense/bias"],
)
def test_without_training_all_that_a_head_needs_must_be_there(
    golden, tmp_path, name
):
    source = golden / "train_classifier/model.ckpt-12"
    init = without(source, tmp_path / "x.ckpt", name)

    def find(trains, uses_pooler):
        return find_start(
            "/nothing", init, CLASSIFIER, trains=trains, uses_pooler=uses_pooler
        )

    with pytest.raises(UserError, match=f"has no {name}, but output_weights"):
        find(trains=False, uses_pooler=True)
    assert find(trains=True, uses_pooler=True).num_outputs == 3
    if name != "output_bias":
        assert find(trains=False, uses_pooler=False).num_outputs == 3


def test_another_number_of_labels_is_refused(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_classifier")

    def check(output_dir, init):
        find_start(output_dir, init, CLASSIFIER, trains=True).check_outputs(2)

    with pytest.raises(
        UserError, match=r"3 label\(s\), the task has 2; name an"
    ):
        check(folder, None)
    with pytest.raises(UserError, match="name a checkpoint without a head"):
        check("/nothing", folder)


def test_output_dirs_checkpoint_wins(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_classifier")
    init = str(golden / "train_squad/model.ckpt-12")
    start = find_start(folder, init, CLASSIFIER, trains=False)
    assert start.is_resumed
    assert start.num_outputs == 3


@pytest.mark.parametrize("trains", [True, False])
@pytest.mark.parametrize("head", [CLASSIFIER, TOKEN])
def test_another_tasks_head_in_output_dir_is_refused(
    golden, tmp_path, head, trains
):
    folder = trained(golden, tmp_path, "train_squad")
    with pytest.raises(
        UserError,
        match=f"no {head}, but {SPAN}: .*another task; name another --output",
    ):
        find_start(folder, None, head, trains=trains)


def start_of(golden, tmp_path, name="train_squad", resumed=True):
    folder = trained(golden, tmp_path, name)
    return find_start(
        *((folder, None) if resumed else ("/nothing", folder)),
        SPAN,
        trains=True,
    )


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("steps", [0, 20])
def test_a_checkpoint_of_the_model_passes(golden, tmp_path, resumed, steps):
    start = start_of(golden, tmp_path, resumed=resumed)
    head_check.check_model(
        start,
        lambda: SpanModel(config_of(golden)),
        num_train_steps=steps,
        best=start.reader.prefix,
    )


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("steps", [0, 20])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 400}, r"word_embeddings is \[\d+, 32\] in the checkp"),
        ({"num_hidden_layers": 4}, "lacks .* such as bert/encoder/layer_3/"),
    ],
)
def test_another_model_than_the_checkpoints_is_refused(
    golden, tmp_path, resumed, steps, changes, message
):
    start = start_of(golden, tmp_path, resumed=resumed)
    with pytest.raises(UserError, match=message):
        head_check.check_model(
            start,
            lambda: SpanModel(config_of(golden, **changes)),
            num_train_steps=steps,
        )


def test_fewer_layers_than_the_checkpoints_are_for_training_alone(
    golden, tmp_path
):
    start = start_of(golden, tmp_path, resumed=False)

    def check(steps, best=None):
        head_check.check_model(
            start,
            lambda: SpanModel(config_of(golden, num_hidden_layers=2)),
            num_train_steps=steps,
            best=best,
        )

    check(20)
    for steps, best in ((0, None), (20, start.reader.prefix)):
        with pytest.raises(UserError, match=r"more layers: .*encoder/layer_2/"):
            check(steps, best)


def test_other_best_weights_than_the_models_are_refused(golden, tmp_path):
    best = str(golden / "train_squad/model.ckpt-12")
    with pytest.raises(UserError, match=r"\[\d+, 32\] in the checkpoint"):
        head_check.check_model(
            head_check.Start(),
            lambda: SpanModel(config_of(golden, vocab_size=400)),
            num_train_steps=0,
            best=best,
        )


def test_a_run_that_goes_on_needs_its_moments(golden, tmp_path):
    source = golden / "train_squad/model.ckpt-12"
    lost = "bert/encoder/layer_0/output/dense/bias/adam_m"
    without(source, tmp_path / "model.ckpt-12", lost)
    start = find_start(str(tmp_path), None, SPAN, trains=True)

    def check(steps, freeze_layers=None):
        head_check.check_model(
            start,
            lambda: SpanModel(config_of(golden)),
            num_train_steps=steps,
            freeze_layers=freeze_layers,
        )

    with pytest.raises(UserError, match=f"lacks 1 tensors, such as {lost}"):
        check(13)
    check(12)  # nothing is left to train
    check(0)
    # The moments of layers that are not trained are too many now.
    with pytest.raises(UserError, match=r"it has unknown .* tensors"):
        check(13, freeze_layers=1)


def test_the_check_gives_no_weight_a_value(golden):
    models = []

    def make_model():
        models.append(ClassifierModel(config_of(golden), 2))
        return models[0]

    head_check.check_model(head_check.Start(), make_model, num_train_steps=9)
    weights = checkpoint.named_variables(models[0])
    assert weights["output_weights"].shape == (2, 32)
    assert all(variable._value is None for variable in weights.values())
