"""Calls SavedModels where there is nothing of this project.

Copied to another folder and run there as a script:

    python elsewhere.py JOBS.json RESULTS.npz

JOBS.json: for each result its SavedModel, its signature and an .npz file of
inputs; those with `raw` need tensorflow_text, and come last.
"""

import importlib.util
import json
import sys

import numpy as np
import tensorflow as tf


def main(jobs_file: str, results_file: str) -> None:
    """Writes `<job>/<output>` of each job."""
    for name in ("modeling", "serving", "data", "training", "run_classifier"):
        assert importlib.util.find_spec(name) is None, name
    with open(jobs_file) as file:
        jobs = json.load(file)
    results = {}
    for name, job in sorted(jobs.items(), key=lambda item: item[1]["raw"]):
        if job["raw"]:
            import tensorflow_text  # noqa: F401 (its operations)
        else:
            assert "tensorflow_text" not in sys.modules
        saved = tf.saved_model.load(job["model"])
        inputs = {
            key: tf.constant(list(value) if value.dtype.kind == "U" else value)
            for key, value in np.load(job["inputs"]).items()
        }
        outputs = saved.signatures[job["signature"]](**inputs)
        for key, value in outputs.items():
            results[f"{name}/{key}"] = value.numpy()
    np.savez(results_file, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
