import argparse
import json
import math

from benchmarks import encoders
from bert.modeling import heads
from bert.modeling.config import BertConfig
from tests.conversion import run_folder
from tests.modeling.backbones.encoders import every_encoder


def test_a_configuration_is_one_of_its_encoder(tmp_path):
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("[PAD]\n[UNK]\n")
    args = argparse.Namespace(vocab_file=vocab, work_dir=tmp_path)
    for name in encoders.SIZES:
        path = encoders.write_config(name, args)
        config = BertConfig.from_json_file(path)
        config.validate()
        assert config.encoder_type == name
        assert config.vocab_size == 2
        assert ("encoder_type" in json.loads(path.read_text())) == (
            name != "bert"
        )


@every_encoder
def test_weights_are_counted_without_words_heads_and_moments(tmp_path, config):
    model = heads.PretrainingModel(config)
    run_folder.save(tmp_path, model, 7)
    weights = [
        math.prod(weight.shape)
        for weight in model.backbone.weights
        if weight is not model.backbone.word_table
    ]
    assert encoders.count_weights(tmp_path / "model.ckpt-7") == sum(weights)
