"""Which networks a worker can use."""

import logging
from pathlib import Path
from shutil import copytree

import pytest

from emotion_timeline.config import Settings, served_version
from emotion_timeline.db.tables import Video
from emotion_timeline.detectors import EMBEDDER
from emotion_timeline.faces.classification import WEIGHTS
from tests.services import REPOSITORY, other_network
from worker import networks, tasks

PAPER = REPOSITORY / "models" / "paper"


def test_only_whole_networks_are_offered_and_a_change_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    copytree(PAPER, tmp_path / "paper")
    copytree(PAPER, tmp_path / "damaged")
    (tmp_path / "damaged" / WEIGHTS).write_bytes(b"not weights")
    copytree(PAPER, tmp_path / "incomplete")
    (tmp_path / "incomplete" / WEIGHTS).unlink()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert networks.usable(tmp_path) == {"paper": (served_version(PAPER),)}
    assert len(caplog.records) == 2, "each is told of once"
    assert "leaves what needs the network in" in caplog.text
    other = other_network(PAPER, tmp_path / "other")
    (tmp_path / "paper").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "paper")
    assert networks.usable(tmp_path)["paper"] == (other,)


def test_a_folder_that_is_not_there_has_no_networks(tmp_path: Path) -> None:
    assert networks.usable(tmp_path / "nowhere") == {}


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("persons", "embedder", "is_made"), [(True, EMBEDDER, True), (False, EMBEDDER, False), (True, "", False)]
)
def test_embeddings_are_made_where_both_the_video_and_the_worker_are_to(
    persons: bool, embedder: str, is_made: bool, tmp_path: Path
) -> None:
    settings = Settings(persons=persons, data_dir=tmp_path, model="paper")
    video = Video(model="paper", model_version=served_version(settings.model_dir), embedder=embedder)
    assert (tasks._stages_for(settings, video).album is not None) == is_made
