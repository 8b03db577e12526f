"""Does the head of a run's checkpoint fit the task?"""

from errors import UserError
from modeling import checkpoint
from training import checkpointing

_HEAD = "output_weights"


def check_classifier_head(
    output_dir: str, init_checkpoint: str | None, num_outputs: int
) -> None:
    """Looks at the checkpoint that a run goes on from, before any work.

    Args:
        output_dir: its newest checkpoint wins.
        init_checkpoint: may lack a head, as pre-trained models do.
        num_outputs: rows of the task's head: its labels, L, or 1.

    Raises:
        UserError: the checkpoint has the head of another task, or for
            another number of labels.
    """
    trained = checkpointing.newest(output_dir)
    if not trained and not init_checkpoint:
        return
    reader = checkpoint.Reader(trained or init_checkpoint)
    if _HEAD not in reader:
        if trained:
            heads = [n for n in reader.shapes if n.endswith("/" + _HEAD)]
            found = ", ".join(sorted(heads)) or "none"
            raise UserError(
                f"The checkpoint {reader.prefix} in --output_dir is of another "
                f"task: expected the classifier's {_HEAD}. Received: {found}; "
                "name another --output_dir."
            )
        return
    rows = reader.shapes[_HEAD][0]
    if rows != num_outputs:
        advice = (
            "name another --output_dir, or the data it was trained on"
            if trained
            else "name a checkpoint without a head (a pre-trained model), or "
            "one of this task"
        )
        raise UserError(
            f"The checkpoint {reader.prefix} has a head for {rows} label(s), "
            f"the task has {num_outputs}; {advice}."
        )
