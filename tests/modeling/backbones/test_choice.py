import numpy as np

from bert.modeling import BertModel
from bert.modeling.backbones.choice import make_backbone
from tests.modeling.backbones.test_bert import IDS, TINY


def test_a_bert_config_makes_a_bert_model_with_these_options():
    made = make_backbone(TINY, compute_dtype="bfloat16", init_seed=1)
    assert type(made) is BertModel
    assert made.config == TINY
    expected = BertModel(TINY, compute_dtype="bfloat16", init_seed=1)
    np.testing.assert_array_equal(
        made(IDS)["pooled_output"], expected(IDS)["pooled_output"]
    )
