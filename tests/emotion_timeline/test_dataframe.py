"""The library as a notebook uses it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import emotion_timeline
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import InputError, SettingsError
from emotion_timeline.exports.tidy import CSV_COLUMNS
from tests.services import ASTRONAUT


def test_importing_the_library_loads_no_network_and_no_server() -> None:
    heavy = ("tensorflow", "keras", "flask", "celery", "cv2", "av", "pandas", "sqlalchemy")
    script = f"import sys, emotion_timeline; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_recording_becomes_the_table_that_its_csv_holds(tmp_path: Path) -> None:
    rows = emotion_timeline.analyze(ASTRONAUT, sample_hz=2, clip=(0.0, 2.0))
    assert tuple(rows.columns) == CSV_COLUMNS
    assert rows["frame"].dtype == "int64" and rows["face_id"].dtype == "Int64" and rows["happy"].dtype == "float64"
    assert rows["timestamp"].max() < 2.0
    seen = rows[rows["status"] == "ok"]
    assert len(seen) > 0 and seen[list(EMOTIONS)].sum(axis=1).sub(1).abs().max() < 1e-5
    assert rows.attrs["source_file"] == ASTRONAUT.name
    assert rows.attrs["settings"]["sample_hz"] == 2
    assert emotion_timeline.__version__ == rows.attrs["software"]["version"]
    rows.to_csv(tmp_path / "again.csv", index=False)
    pd.testing.assert_frame_equal(emotion_timeline.read(tmp_path / "again.csv"), rows, check_exact=True)


def test_text_is_read_as_it_was_before_it_was_made_safe_for_spreadsheets(tmp_path: Path) -> None:
    cells = dict.fromkeys(CSV_COLUMNS, "") | {
        "frame": "0",
        "timestamp": "0",
        "source_file": "'=1+1.mp4",
        "status": "NA",
        "shot": "1",
    }
    (tmp_path / "rows.csv").write_text("\n".join(",".join(line) for line in (cells, cells.values())))
    rows = emotion_timeline.read(tmp_path / "rows.csv")
    assert rows["source_file"].tolist() == ["=1+1.mp4"] and rows["status"].tolist() == ["NA"]
    assert rows["face_id"].isna().all() and rows.attrs == {}


def test_what_is_no_timeline_is_refused_with_a_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"should be a timeline .* with a column video_id, but its columns are a, b"):
        emotion_timeline.read(other)
    with pytest.raises(InputError, match="can't be read"):
        emotion_timeline.read(tmp_path / "missing.csv")
    with pytest.raises(SettingsError, match="nobody should be a network's folder or its name"):
        emotion_timeline.analyze(ASTRONAUT, model="nobody")
