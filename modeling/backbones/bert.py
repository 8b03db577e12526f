"""BertModel: embeddings, encoder and pooler.

Letters of shapes: B batch, S sequence, D hidden.
"""

from typing import NoReturn, Unpack

import keras

from bert.modeling import packed_rows
from bert.modeling.backbones.backbone import ModelOptions
from bert.modeling.backbones.transformer import Encoder, TransformerBackbone
from bert.modeling.config import BertConfig
from bert.modeling.layers import Embeddings, Pooler

# Methods of the original's model, and where what they returned is now.
_GONE = {
    "get_all_encoder_layers": "model(input_ids)['all_encoder_layers']",
    "get_embedding_output": "model(input_ids)['embedding_output']",
    "get_embedding_table": "model.word_table",
    "get_pooled_output": "model(input_ids)['pooled_output']",
    "get_sequence_output": "model(input_ids)['sequence_output']",
}


@keras.saving.register_keras_serializable("bert")
class BertModel(TransformerBackbone):
    """BERT. Its weights bear their names in checkpoints, `bert/pooler/…`.

    Args and call arguments: those of `Backbone`. With `choose`, the last
    layer is computed for the chosen tokens alone, which saves most of its
    work.

    Returns:
        A dict of tensors in the compute dtype: `embedding_output` [B, S, D],
        `all_encoder_layers` (list of [B, S, D], the last layer last),
        `sequence_output` [B, S, D] (the last layer), `pooled_output` [B, D].
        The last layer has the chosen tokens only, [B, F, D]. On request
        `attention_probs`, see `Backbone`.

    Raises:
        UserError: S is larger than max_position_embeddings, or the compute
            dtype is not known, or ids come rounded, in float16 or bfloat16.
        ValueError: input_ids are no matrix.
        TypeError: it is made as the original is, with inputs.

    Source: Devlin et al. 2019, section 3; modeling.py of google-research/bert.
    """

    scope = "bert"
    required_scopes = ("bert/embeddings/", "bert/encoder/")
    packs = True
    pooler: Pooler

    def __init__(
        self,
        config: BertConfig,
        *inputs: object,
        **options: Unpack[ModelOptions],
    ):
        if inputs or not options.keys() <= ModelOptions.__annotations__.keys():
            raise TypeError(
                "BertModel(config) is a Keras layer without is_training and "
                "inputs, which are for its call. Write model = BertModel("
                "config), then outputs = model(input_ids, input_mask=…, "
                "segment_ids=…, training=…) and outputs['pooled_output']."
            )
        super().__init__(config, **options)
        self.embeddings = Embeddings(
            config.vocab_size,
            config.type_vocab_size,
            config.max_position_embeddings,
            config.hidden_size,
            config.hidden_dropout_prob,
            self.options,
        )
        self.encoder = Encoder(config, self.options)
        self.pooler = Pooler(config.hidden_size, self.options)
        self.build()

    def __getattr__(self, name: str) -> NoReturn:
        # Called only for what is no attribute.
        hint = f"; use {_GONE[name]}" if name in _GONE else ""
        raise AttributeError(f"BertModel has no {name!r}{hint}")

    def pool(self, run, input_mask, choose, text_starts=None):
        # Those that are wanted begin with [CLS].
        layers = run(choose)
        firsts = layers[-1]
        if text_starts is not None:
            firsts = packed_rows.firsts(firsts, text_starts, choose is not None)
        return layers, self.pooler(firsts[:, 0])
