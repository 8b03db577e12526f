"""Errors that are not our fault end a script with one line, not a trace."""

import errno
import os
import re
import sys
from collections.abc import Callable

from bert.errors import MOST_CHARS, UserError, one_line


def exit_code(main: Callable[[], None]) -> int:
    """Runs `main`; prints one line where the user's input was wrong.

    Returns:
        0; 1 for a UserError or an error of the file system; 130 after Ctrl-C.

    Raises:
        Exception: what `main` raises otherwise, which is a bug.
    """
    try:
        main()
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    except UnicodeEncodeError as error:
        # What the shell gave as bytes that are no UTF-8.
        return _failed(
            "a path or text is not valid UTF-8: "
            f"{ascii(error.object)[:80]}; rename it."
        )
    except Exception as error:
        is_expected = isinstance(error, UserError | OSError)
        if not is_expected and not _is_file_system_error(error):
            raise
        return _failed(_message(error))
    return 0


def _failed(line: str, code: int = 1) -> int:
    print(one_line(f"error: {line}", MOST_CHARS), file=sys.stderr)
    return code


def _is_file_system_error(error: Exception) -> bool:
    """Whether TensorFlow's file layer failed (no space, no permission)."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(error, tf.errors.OpError):
        return False
    reasons = (errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT)
    return any(os.strerror(r) in str(error) for r in reasons) or isinstance(
        error,
        (
            tf.errors.FailedPreconditionError,
            tf.errors.NotFoundError,
            tf.errors.PermissionDeniedError,
            tf.errors.ResourceExhaustedError,
            tf.errors.UnavailableError,
            tf.errors.UnimplementedError,
        ),
    )


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fspath(error.filename)}: " if error.filename else ""
        return f"{where}{error.strerror}"
    if isinstance(error, UserError):
        return str(error)
    # Less the names of TensorFlow's operations around the message.
    text = re.sub(r"\{\{.*?\}\}|\[Op:.*?\]( name:)?", "", str(error))
    if "OOM when allocating" in text:
        text += "; lower --train_batch_size or --max_seq_length"
    return " ".join(text.split())
