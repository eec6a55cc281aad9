import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from emotion_timeline.media.plan import inspect
from emotion_timeline.media.survey import glance
from tests.media.make import Clip, make_clip
from tests.media.paff import write_paff


def probe(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emotion_timeline.media.probe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=60)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("probe") / "clip.mp4"
    make_clip(Clip(path.name, frames=12), path)
    return path


def test_probe_prints_the_description_as_one_line_of_json(clip: Path) -> None:
    result = probe(clip, "--sample-hz", "5")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == asdict(inspect(clip))


def test_a_glance_takes_no_longer_for_a_longer_file(tmp_path: Path) -> None:
    read = {}
    for times in (30, 90):
        path = write_paff(tmp_path / f"{times}.ts", 40, times=times)
        before = _bytes_read()
        said = glance(path)
        read[times] = _bytes_read() - before
        assert said["duration_s"] == pytest.approx(1.6 * times, abs=0.1)
        assert (said["width"], said["frame_count"], said["variable_rate"]) == (160, None, None)
    assert read[90] == pytest.approx(read[30], rel=0.02)


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty"), (b"Dear diary\n" * 999, "not_a_video"), (None, "not_found")]
)
def test_refused_file_exits_2_with_code_and_sentence(content: bytes | None, code: str, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    if content is not None:
        path.write_bytes(content)
    result = probe(path)
    assert (result.returncode, result.stderr) == (2, "")
    error = json.loads(result.stdout)["error"]
    assert error["code"] == code
    assert error["message"].endswith(".")


def test_damaged_file_leaves_nothing_on_standard_error(clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    content[1500:2500] = bytes(1000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    result = probe(path)
    assert result.returncode in (0, 2)
    assert result.stderr == ""
    json.loads(result.stdout)


@pytest.mark.parametrize("sample_hz", ["0", "-2", "nan", "inf"])
def test_sampling_rate_without_meaning_is_refused(sample_hz: str, clip: Path) -> None:
    result = probe(clip, f"--sample-hz={sample_hz}")
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["code"] == "bad_sample_rate"


def test_bad_usage_exits_2() -> None:
    assert probe().returncode == 2


def test_probe_without_memory_ends_in_an_answer_or_a_death_that_its_parent_sees(clip: Path) -> None:
    result = probe(clip, "--memory-bytes=100000000")  # less than the libraries have taken by then
    if result.returncode == 2:
        assert json.loads(result.stdout)["error"]["code"] in ("too_large", "not_a_video", "undecodable")
    else:
        assert result.returncode in (1, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)
