"""The command line as a person uses it: real files, exit codes, one plain sentence for whatever is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest

from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.tidy import CSV_COLUMNS, DATA_DICTIONARY
from tests.media.make import encode_stretches
from tests.media.portrait import draw_face
from tests.media.smile import make_smile
from tests.services import ASTRONAUT, plain_environment

COMMAND = str(Path(sys.executable).parent / "emotion-timeline")


def run(*arguments: str | Path, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=plain_environment() | environment, capture_output=True, text=True, timeout=280
    )


def analyzed(video: Path, folder: Path, *options: str) -> tuple[pd.DataFrame, dict[str, object]]:
    done = run("analyze", video, "--output", "out.csv", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return pd.read_csv(folder / "out.csv"), json.loads((folder / "out.json").read_text())


def decoded_times(path: Path) -> list[float]:
    """Seconds of every frame by the decoder itself."""
    with av.open(path) as container:
        stamps = sorted(
            float(f.pts * f.time_base) for f in container.decode(video=0) if f.pts is not None and f.time_base
        )
    return [stamp - stamps[0] for stamp in stamps]


def test_a_mans_smile_is_seen_to_come_and_go(shared_clips: Path, tmp_path: Path) -> None:
    assert_smile_comes_and_goes(shared_clips / "single_face.mp4", tmp_path)


def test_a_recording_on_its_side_is_warned_of_and_turned(tmp_path: Path) -> None:
    lying = cv2.rotate(draw_face((640, 360), 320, 180, 1.0), cv2.ROTATE_90_CLOCKWISE)
    encode_stretches("libvpx", [[np.asarray(lying, np.uint8)] * 5], tmp_path / "lying.webm")
    done = run("analyze", "lying.webm", cwd=tmp_path)
    assert "Warning: Most faces seem to stand turned" in done.stderr and "with rotate 270." in done.stderr
    rows, sidecar = analyzed(tmp_path / "lying.webm", tmp_path, "--rotate", "270")
    assert (rows["emotion"] == "happy").all()
    assert (sidecar["warnings"], sidecar["settings"]) == ([], {"sample_hz": None, "clip": None, "rotate": 270})
    assert {"width": 640, "height": 360, "rotation": 270}.items() <= dict(sidecar["video"]).items()  # type: ignore[call-overload]
    assert run("analyze", "lying.webm", "--rotate", "45", cwd=tmp_path).returncode == 2


def test_a_made_smile_is_seen_to_come_and_go(tmp_path: Path) -> None:
    make_smile(tmp_path / "smile.mp4")
    assert_smile_comes_and_goes(tmp_path / "smile.mp4", tmp_path)


def assert_smile_comes_and_goes(path: Path, folder: Path) -> None:
    rows, sidecar = analyzed(path, folder)
    times = decoded_times(path)
    assert list(rows.columns) == list(CSV_COLUMNS) == list(DATA_DICTIONARY)
    assert rows["frame"].tolist() == list(range(len(times)))
    assert np.abs(rows["timestamp"] - times).max() < 1e-3
    assert (rows["status"] == "ok").all() and (rows["face_id"] == 1).all()
    assert np.allclose(rows[list(EMOTIONS)].sum(axis=1), 1, atol=1e-5)
    assert (rows["emotion"] == rows[list(EMOTIONS)].idxmax(axis=1)).all()
    assert rows["model_version"].unique().tolist() == [sidecar["model"]["version"]]  # type: ignore[index]
    changes = rows["emotion"][rows["emotion"] != rows["emotion"].shift()]
    assert changes.tolist() == ["neutral", "happy", "neutral"]
    assert rows["happy"].max() > 0.8 > 0.2 > max(rows["happy"].iloc[0], rows["happy"].iloc[-1])


def test_no_face_is_invented(shared_clips: Path, tmp_path: Path) -> None:
    rows, sidecar = analyzed(shared_clips / "no_face.mp4", tmp_path, "--sample-hz", "10")
    assert (rows["status"] == "no_face").all()
    assert rows["face_id"].isna().all() and rows["emotion"].isna().all()
    assert sidecar["faces"] == 0
    assert len(rows) == sidecar["frames_analyzed"] and len(rows) > 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, dict[str, object]]:
    """The demo clip analysed at 5 frames a second: the folder that the command ran in, the rows and the sidecar."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, *analyzed(ASTRONAUT, folder, "--sample-hz", "5", "--quiet")


def test_the_demo_clip_shows_every_kind_of_frame(demo: tuple[Path, pd.DataFrame, dict[str, object]]) -> None:
    folder, rows, sidecar = demo
    assert {"ok", "no_face"} <= set(rows["status"])
    assert rows.groupby("frame").size().max() == 2, "the face is doubled for a while"
    assert np.allclose(np.diff(np.unique(rows["timestamp"])), 0.2, atol=0.041)
    assert sidecar["frames_analyzed"] == rows["frame"].nunique()
    assert sorted(os.listdir(folder)) == ["out.csv", "out.json"]


def test_a_clip_gives_the_rows_of_its_stretch(
    demo: tuple[Path, pd.DataFrame, dict[str, object]], tmp_path: Path
) -> None:
    clip, sidecar = analyzed(ASTRONAUT, tmp_path, "--sample-hz", "5", "--start-s", "1", "--end-s", "2", "--quiet")
    assert sidecar["settings"] == {"sample_hz": 5.0, "clip": {"start_s": 1.0, "end_s": 2.0}, "rotate": 0}
    _, whole, _ = demo
    there = whole[(whole["timestamp"] >= 1) & (whole["timestamp"] < 2)]
    columns = ["frame", "timestamp", "status", "box_x", "box_y"]
    pd.testing.assert_frame_equal(clip[columns], there[columns].reset_index(drop=True))


BAD_INPUT = {
    "missing": (None, "does not exist"),
    "empty": (b"", "is empty"),
    "text": (b"This is not a video.\n" * 50, "could not be opened as a video"),
    "random": (np.random.default_rng(7).bytes(20_000), "could not be opened as a video"),
    "executable": (Path(sys.executable).resolve().read_bytes()[:100_000], "could not be opened as a video"),
    "truncated": (ASTRONAUT.read_bytes()[:3000], "could not be opened as a video"),
}


@pytest.mark.parametrize("kind", BAD_INPUT)
def test_bad_input_gets_one_sentence_and_exit_code_2(kind: str, tmp_path: Path) -> None:
    content, sentence = BAD_INPUT[kind]
    if content is not None:
        (tmp_path / "in.mp4").write_bytes(content)
    before = sorted(os.listdir(tmp_path))
    done = run("analyze", "in.mp4", "--output", "out.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert sorted(os.listdir(tmp_path)) == before, "nothing is left behind"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["analyze"], "Missing argument 'VIDEO'"),
        (["analyze", str(ASTRONAUT), "--sample-hz", "0", "--output", "out.csv"], "above 0"),
        (["analyze", str(ASTRONAUT), "--sample-hz", "nan", "--output", "out.csv"], "above 0"),
        (["analyze", str(ASTRONAUT), "--sample-hz", "often"], "not a valid float"),
        (["analyze", str(ASTRONAUT), "--start-s", "2", "--end-s", "1", "--output", "out.csv"], "end after its start"),
        (["analyze", str(ASTRONAUT), "--start-s", "9999", "--output", "out.csv"], "s long"),
        (["analyze", str(ASTRONAUT), "--output", "nowhere/out.csv"], "can't be written"),
        (["analyze", str(ASTRONAUT), "--output", str(ASTRONAUT)], "can't be the output"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_bad_usage_gets_one_sentence_and_exit_code_2(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMELINE_SEGMENT_S", "0"),
        ("TIMELINE_LEASE_S", "soon"),
        ("TIMELINE_MODEL", "../secrets"),
        ("TIMELINE_MODELS_DIR", "/no/such/folder"),
        ("TIMELINE_THREADS", "-1"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str, tmp_path: Path) -> None:
    done = run("analyze", ASTRONAUT, "--output", "out.csv", cwd=tmp_path, **{name: value})
    assert done.returncode == 2
    assert name in done.stderr and value in done.stderr


def test_a_model_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run("analyze", ASTRONAUT, "--output", "out.csv", cwd=tmp_path, TIMELINE_MODEL="nonesuch")
    assert done.returncode == 2
    assert "nonesuch" in done.stderr and "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


def test_version_and_help_are_told(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.startswith("emotion-timeline, version 0.1")
    assert {"analyze", "serve", "migrate"} <= set(run("--help", cwd=tmp_path).stdout.split())


def test_migrate_makes_the_embedded_database(tmp_path: Path) -> None:
    done = run("migrate", cwd=tmp_path)
    assert done.returncode == 0 and "up to date" in done.stdout
    assert (tmp_path / "data" / "timeline.db").is_file()
