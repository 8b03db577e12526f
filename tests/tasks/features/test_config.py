from bert import extract_features as script
from tests.scripts.runner import config_of

NEEDED = [
    f"--{name}=x"
    for name in (
        *("input_file", "output_file", "vocab_file"),
        *("bert_config_file", "init_checkpoint"),
    )
]


def test_what_is_written_is_what_flags_name():
    assert config_of(script, *NEEDED).written == ["x"]
    more = ["--attention_file=a.npz", "--projector_dir=p"]
    assert config_of(script, *NEEDED, *more).written == ["x", "a.npz", "p"]
