"""What must be set before TensorFlow is imported."""

import os


def prepare() -> None:
    """Sets the variables that TensorFlow and Keras read at their import.

    A script's `main` calls this first. What the user has set wins, but for
    Keras' backend: these layers are TensorFlow.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Hides most start-up notes (some lines on CUDA come before it is read, and
    # mean nothing on a machine without a GPU); errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
