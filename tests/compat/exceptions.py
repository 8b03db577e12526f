"""The records of the original's Python functions that we do not repeat."""

from collections.abc import Mapping, Sequence

# By module and number, under the reason.
EXCEPTIONS: Mapping[str, Mapping[str, Sequence[int]]] = {
    # docs/differences.md, "From Python".
    "an error that says more, still a ValueError": {
        "run_classifier": (30,),
        "run_squad": (13, 24, 26, 36, 38, 46, 47, 435, 438, 439, 440, 444, 445),
        "tokenization": (
            *(31, 201, 202, 203, 207, 208, 209, 210, 219, 220, 223, 224),
        ),
    },
    "an error that says more, of another type": {
        "create_pretraining_data": (132,),
        "extract_features": (22,),
        "modeling": (62,),
        "run_classifier": (31, 50),
        "run_squad": (28, 44, 45, 48, 49),
        "tokenization": (32,),
    },
    "no error here: bytes that are no UTF-8 are left out of a text": {
        "create_pretraining_data": (131,),
        "extract_features": (21,),
    },
    "no error here: a file of SQuAD v1.1 is one of v2.0": {
        "run_squad": (17, 34),
    },
    "no error here: a byte-order mark before JSON": {"run_squad": (50, 51)},
    "no error here: no answer of SQuAD v2.0 is an answer": {
        "run_squad": (419, 428),
    },
    "an error here: an answer to learn without text": {"run_squad": (20,)},
    "an answer of which the tokenizer leaves nothing has no place": {
        "run_squad": (52, 54, 56, 58),
    },
    "what ends a line is escaped in the log": {"run_squad": (18,)},
    "an error here: the case of further published models": {
        "tokenization": (204, 215),
    },
    "TF1: layer_norm made variables of a graph": {"modeling": (104,)},
    "BertModel has one name, so that its weights have one": {
        "modeling": (109,),
    },
    "an error that says more: a value that no model can have": {
        "modeling": (114, 115, 116, 117),
    },
    "an activation is named: linear, not null": {"modeling": (119,)},
}


def exceptions_of(module: str) -> set[int]:
    return {
        number
        for numbers in EXCEPTIONS.values()
        for number in numbers.get(module, ())
    }
