"""Everything that a run needs to go on after a stop, in one file that is replaced whole."""

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import TrainingError

# In the output folder; not part of the model.
FILE_NAME = "checkpoint.npz"
BEST_FILE_NAME = "best.npz"
NEXT_BEST_FILE_NAME = "best-next.npz"  # until the checkpoint knows of its epoch


def save(path: Path, state: Mapping[str, Any], variables: Sequence[Any]) -> None:
    """Writes the state of a run.

    Args:
        path: the file; an older one stays valid until the new one is complete.
        state: JSON-able values.
        variables: Keras variables, in an order that the same code builds again.
    """
    arrays: dict[str, Any] = {str(index): np.asarray(variable) for index, variable in enumerate(variables)}
    arrays["state"] = np.array(json.dumps(state))
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_state(path: Path) -> dict[str, Any] | None:
    """The state that save was given, or None where there is no checkpoint.

    Raises:
        TrainingError: the file is no checkpoint.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            state: dict[str, Any] = json.loads(str(arrays["state"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as exc:
        raise TrainingError(f"{path} should be a checkpoint but can't be read; delete it to start anew.") from exc
    return state


def restore(path: Path, variables: Sequence[Any]) -> None:
    """Gives the variables the values that they had when save was called.

    Raises:
        TrainingError: the file holds other variables.
    """
    with np.load(path, allow_pickle=False) as arrays:
        saved = [arrays[name].shape for name in map(str, range(len(arrays.files) - 1))]
        if saved != [tuple(variable.shape) for variable in variables]:
            raise TrainingError(f"{path} is of another version of this network; delete it to start anew.")
        for index, variable in enumerate(variables):
            variable.assign(arrays[str(index)])
