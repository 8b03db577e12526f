import pytest

from bert.compat.squad_records import FeatureWriter
from bert.compat.squad_types import InputFeatures


def test_a_file_is_there_once_it_is_closed(tmp_path):
    path = tmp_path / "x.tf_record"
    writer = FeatureWriter(str(path), is_training=True)
    feature = InputFeatures(7, 0, 0, [], {}, {}, [1], [1], [0], 0, 0, None)
    writer.process_feature(feature)
    assert (writer.num_features, path.exists()) == (1, False)
    writer.close()
    assert path.stat().st_size > 0


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path):
    with pytest.raises(OSError, match="none"):
        FeatureWriter(str(tmp_path / "none/x"), is_training=False)
