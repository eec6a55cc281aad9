"""Timelines as pandas DataFrames, for notebooks and scripts: analysed here and now, or read from a CSV of ours.

Both go through the CSV, so a number in a notebook is the number in the file.
"""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from emotion_timeline import config
from emotion_timeline.clip import Clip
from emotion_timeline.errors import InputError, SettingsError
from emotion_timeline.exports.dictionary import TEXT_COLUMNS
from emotion_timeline.exports.tidy import CSV_COLUMNS, plain_text
from emotion_timeline.turning import TURNS

_DTYPES = {"frame": "int64", "face_id": "Int64", "shot": "int64", "track_id": "Int64"} | dict.fromkeys(
    TEXT_COLUMNS, "string"
)
"""Columns that are not float64: whole numbers, blank where there is no face, and text."""
_LASTING = CSV_COLUMNS[: CSV_COLUMNS.index("model_version") + 1]
"""Columns that every version has written; a later version may have more."""


def analyze(
    path: str | os.PathLike[str],
    sample_hz: float | None = None,
    clip: tuple[float | None, float | None] | None = None,
    model: str | os.PathLike[str] | None = None,
    progress: bool = False,
    rotate: int = 0,
) -> pd.DataFrame:
    """Analyse a recording in this process and return its timeline.

    Args:
        path: the recording.
        sample_hz: frames per second to analyse; None for every frame.
        clip: start and end of the stretch to analyse, in seconds from the first frame; either may be None.
        model: name of a network, or its folder; None for the one that is served.
        progress: draw a progress bar on stderr.
        rotate: 0, 90, 180 or 270 degrees clockwise, by which pictures are turned first.

    Returns:
        The CSV's columns, one row for every frame and face and one for every frame without a face; see `read`.

    Raises:
        VideoError: the recording can't be analysed.
        ModelError: the network can't be loaded.
        SettingsError: a setting, or the network's name, can't be used.
        InputError: rotate is no quarter of a turn.
    """
    from emotion_timeline.analysis import analyze_file  # loads the pipeline

    if rotate not in TURNS:
        raise InputError(f"rotate should be 0, 90, 180 or 270 degrees, but is {rotate}.")
    settings = _settings(model)
    with TemporaryDirectory(prefix="emotion-timeline-") as folder:
        output = Path(folder) / "timeline.csv"
        analyze_file(
            settings, Path(path), output, sample_hz, Clip(*(clip or ())), rotate=rotate, show_progress=progress
        )
        return read(output)


def read(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a CSV that Emotion Timeline wrote.

    Args:
        path: the CSV, as the service, the command line or `analyze` makes it.

    Returns:
        Its columns, by name: `frame` and `shot` int64, `face_id` and `track_id` Int64, text as "string", all others
        float64; blank cells are missing values. `.attrs` holds the JSON file beside the CSV, which says how it was
        made; it is empty where there is none.

    Raises:
        InputError: the file is missing or no timeline.
    """
    path = Path(path)
    try:
        rows = pd.read_csv(path, dtype=_DTYPES, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as exc:
        raise InputError(f"{path} should be a timeline that Emotion Timeline wrote, but can't be read: {exc}.") from exc
    missing = [name for name in _LASTING if name not in rows.columns]
    if missing:
        raise InputError(
            f"{path} should be a timeline that Emotion Timeline wrote, with a column {missing[0]}, but its columns are "
            f"{', '.join(map(str, rows.columns))}. Give the file that ends in .csv and is called 'Timeline, tidy'."
        )
    for name in rows.columns.intersection(list(TEXT_COLUMNS)):
        rows[name] = rows[name].map(plain_text, na_action="ignore").astype("string")
    rows.attrs.update(_sidecar(path.with_suffix(".json")))
    return rows


def _sidecar(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise InputError(f"{path} should say how the timeline was made, but can't be read: {exc}.") from exc
    return found if isinstance(found, dict) else {}


def _settings(model: str | os.PathLike[str] | None) -> config.Settings:
    settings = config.load()
    if model is None:
        return settings
    folder = Path(model)
    if folder.is_dir() and len(folder.parts) > 1:
        return settings.model_copy(update={"models_dir": folder.resolve().parent, "model": folder.resolve().name})
    if not (settings.models_dir / folder).is_dir():
        raise SettingsError(
            f"{model} should be a network's folder or its name, but there is no such folder in {settings.models_dir}."
        )
    return settings.model_copy(update={"model": str(folder)})
