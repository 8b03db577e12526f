import shutil

import pytest

from errors import UserError
from training import head_check


def trained(golden, folder, name):
    for path in (golden / name).glob("model.ckpt-12.*"):
        shutil.copy(path, folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-12"')
    return str(folder)


def test_a_head_of_the_tasks_size_passes(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_classifier")
    head_check.check_classifier_head(folder, None, 3)
    head_check.check_classifier_head("/nothing", folder, 3)


def test_a_start_without_a_head_passes(golden):
    start = str(golden / "model_base")
    head_check.check_classifier_head("/nothing", start, 2)
    head_check.check_classifier_head("/nothing", None, 2)


def test_another_number_of_labels_is_refused(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_classifier")
    with pytest.raises(
        UserError, match=r"3 label\(s\), the task has 2; name an"
    ):
        head_check.check_classifier_head(folder, None, 2)
    with pytest.raises(UserError, match="name a checkpoint without a head"):
        head_check.check_classifier_head("/nothing", folder, 2)


def test_output_dirs_checkpoint_wins(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_classifier")
    start = str(golden / "train_squad/model.ckpt-12")
    head_check.check_classifier_head(folder, start, 3)


def test_another_tasks_head_in_output_dir_is_refused(golden, tmp_path):
    folder = trained(golden, tmp_path, "train_squad")
    with pytest.raises(UserError, match="Received: cls/squad/output_weights"):
        head_check.check_classifier_head(folder, None, 2)
