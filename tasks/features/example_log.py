"""Shows lines of extract_features.py as the original does."""

from collections.abc import Mapping, Sequence

from absl import logging

_details = logging.get_absl_logger().getChild("details")

# How many lines are shown.
LOGGED_EXAMPLES = 5


def log(
    unique_id: object, tokens: Sequence[str], features: Mapping[str, Sequence]
) -> None:
    """Logs a line.

    Args:
        unique_id: the line's number.
        tokens: its tokens.
        features: `packing.pad`.
    """
    _details.info("*** Example ***")
    _details.info("unique_id: %s", unique_id)
    _details.info("tokens: %s", " ".join(tokens))
    for name, numbers in features.items():
        # What the original calls segment_ids everywhere else.
        name = "input_type_ids" if name == "segment_ids" else name
        _details.info("%s: %s", name, " ".join(map(str, numbers)))
