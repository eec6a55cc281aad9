"""Whose labels a timeline has: chosen, named in its version, and given by the worker that makes it."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_timeline.config import Settings, served_network, served_version
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import ModelError
from emotion_timeline.labels import Labels, Network, labels_of, network_of
from tests.services import ASTRONAUT, REPOSITORY, Service

BOTH = Network("net-1a2b3c4d", (Labels.FER2013, Labels.FERPLUS))
ONE = Network("net-1a2b3c4d")


def test_raters_labels_are_given_unless_others_are_asked_for() -> None:
    assert BOTH.chosen(None) is Labels.FERPLUS
    assert BOTH.chosen(Labels.FER2013) is Labels.FER2013
    assert ONE.chosen(None) is Labels.FER2013
    with pytest.raises(ModelError, match="ferplus were asked for"):
        ONE.chosen(Labels.FERPLUS)


@pytest.mark.parametrize(
    ("version", "network", "labels"),
    [
        (BOTH.version_by(Labels.FERPLUS), "net-1a2b3c4d", Labels.FERPLUS),
        (BOTH.version_by(Labels.FER2013), "net-1a2b3c4d", Labels.FER2013),
        (ONE.version_by(Labels.FER2013), "net-1a2b3c4d", Labels.FER2013),
        ("residual-b9d6515c", "residual-b9d6515c", Labels.FER2013),  # from before there was a choice
    ],
)
def test_version_tells_the_network_and_whose_labels_it_gave(version: str, network: str, labels: Labels) -> None:
    assert (network_of(version), labels_of(version)) == (network, labels)


def test_versions_of_both_sets_differ() -> None:
    assert BOTH.version_by(Labels.FERPLUS) != BOTH.version_by(Labels.FER2013)
    assert ONE.version_by(Labels.FER2013) == ONE.version  # as before there was a choice


def test_each_set_of_labels_has_a_meaning_in_one_sentence() -> None:
    assert all(labels.meaning.count(".") == 1 and labels.meaning.endswith(".") for labels in Labels)


@pytest.fixture
def service_of() -> Iterator[Callable[[Settings], Service]]:
    made: list[Service] = []

    def make(settings: Settings) -> Service:
        made.append(Service(settings))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.mark.services
@pytest.mark.timeout(600)
def test_worker_gives_the_labels_that_a_video_was_made_for_whatever_the_settings_say(
    tmp_path: Path, service_of: Callable[[Settings], Service]
) -> None:
    models = REPOSITORY / "models"
    service = service_of(Settings(data_dir=tmp_path, model="residual", labels=Labels.FER2013, sweep_s=0.5, threads=2))
    videos = {labels: service.submit(ASTRONAUT, str(labels), sample_hz=2, labels=labels) for labels in Labels}
    assert len(set(videos.values())) == 2, "one recording, two analyses"
    service.start_worker()
    found = {}
    for labels, video_id in videos.items():
        version = service.wait_for(video_id).model_version
        found[labels] = pd.read_csv(io.StringIO(service.csv(video_id)))
        assert found[labels]["model_version"].unique().tolist() == [version]
        assert version == served_network(models / "residual").version_by(labels)
    same = ["frame", "timestamp", "face_id", "status", "box_x", "box_y", "box_w", "box_h"]
    one, other = found.values()
    pd.testing.assert_frame_equal(one[same], other[same])
    assert np.nanmax(np.abs(one[list(EMOTIONS)].to_numpy() - other[list(EMOTIONS)].to_numpy())) > 0.01


def test_setting_names_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMELINE_LABELS", "fer2013")
    assert Settings().labels is Labels.FER2013
    monkeypatch.setenv("TIMELINE_LABELS", "")
    assert Settings().labels is None
    assert served_version(REPOSITORY / "models" / "residual").endswith("-ferplus")
    assert served_version(REPOSITORY / "models" / "paper") == served_network(REPOSITORY / "models" / "paper").version
