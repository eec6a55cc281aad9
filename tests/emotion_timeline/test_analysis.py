"""Where the command line writes to, and what it never writes over."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from emotion_timeline.analysis import check_output
from emotion_timeline.config import Settings
from emotion_timeline.db.migrations import require_current
from emotion_timeline.db.session import Database
from emotion_timeline.errors import SettingsError


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a recording")
    return path


def written_for(content: bytes, path: Path) -> None:
    sidecar = {"software": {"name": "emotion-timeline"}, "sha256": sha256(content).hexdigest()}
    path.write_text(json.dumps(sidecar))


def test_what_was_written_for_the_same_recording_is_written_again(recording: Path) -> None:
    written_for(b"a recording", recording.with_suffix(".json"))
    recording.with_suffix(".csv").write_text("rows")
    check_output(recording, recording.with_suffix(".csv"))


@pytest.mark.parametrize("name", ["talk.csv", "talk.json"])
def test_what_another_program_wrote_is_never_written_over(recording: Path, name: str) -> None:
    (recording.parent / name).write_text('{"text": "my transcript"}')
    with pytest.raises(SettingsError, match=rf"{name} is there already, .*Give another name by --output"):
        check_output(recording, recording.with_suffix(".csv"))


def test_two_recordings_that_differ_in_their_ending_do_not_share_a_timeline(recording: Path) -> None:
    written_for(b"another recording", recording.with_suffix(".json"))
    recording.with_suffix(".csv").write_text("rows of another")
    with pytest.raises(SettingsError, match=r"talk\.csv is there already"):
        check_output(recording, recording.with_suffix(".csv"))


def test_a_name_that_leaves_no_room_for_the_json_is_refused_before_the_work(recording: Path) -> None:
    long = recording.with_name("x" * (os.pathconf(recording.parent, "PC_NAME_MAX") - 4) + ".csv")
    with pytest.raises(SettingsError, match="longer than a file's name can be"):
        check_output(recording, long)


@pytest.mark.parametrize("name", ["Happy?", "50%25", "a#b&c", os.fsdecode(b"caf\xe9")])
def test_a_folder_of_any_name_holds_its_own_database(tmp_path: Path, name: str) -> None:
    database = Database(Settings(data_dir=tmp_path / name).resolved_database_url)
    require_current(database)
    database.close()
    assert (tmp_path / name / "timeline.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
