"""Which crops of a face are chosen to tell it apart by, on real ones."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from emotion_timeline.faces.detection import Detector
from emotion_timeline.faces.embedding import Embedder
from emotion_timeline.faces.portraits import WINDOW_S, Album, Portrait, frontality, looked_at, portray
from emotion_timeline.observations import Observations, Status, blank

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def astronaut(side: int = 512, blur_px: float = 0) -> Image:
    image = np.ascontiguousarray(data.astronaut()[..., ::-1])  # type: ignore[no-untyped-call]
    image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), blur_px) if blur_px else image, np.uint8)


def portrait(embedder: Embedder, image: Image) -> Portrait:
    faces = Detector().detect(astronaut(len(image)))
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    (made,) = portray(embedder, image, grey, faces.landmarks[:1], faces.confidences[:1])
    return made


def rows(number: int, times_s: list[float]) -> Observations:
    made = blank(len(times_s))
    made["status"], made["tracklet"], made["timestamp_s"] = Status.OK, number, times_s
    return made


def test_large_and_sharp_is_better_than_small_or_blurred(embedder: Embedder) -> None:
    best = portrait(embedder, astronaut()).quality
    small, soft = portrait(embedder, astronaut(200)).quality, portrait(embedder, astronaut(blur_px=1.5)).quality
    assert 0 < small < best and 0 < soft < best


def test_blurred_beyond_recognition_is_no_portrait(embedder: Embedder) -> None:
    assert portrait(embedder, astronaut(blur_px=5)).quality == 0


def test_frontality_falls_from_one_to_zero_as_the_nose_goes_under_an_eye() -> None:
    face = np.array([[0, 0], [40, 0], [20, 20], [5, 40], [35, 40]], np.float32)
    assert frontality(face) == 1
    values = []
    for nose_x in (25, 30, 35, 40, 50):
        face[2, 0] = nose_x
        values.append(frontality(face))
    assert values == sorted(values, reverse=True) and values[-2:] == [0, 0]
    turn = cv2.getRotationMatrix2D((0, 0), 30, 1)[:, :2].astype(np.float32)
    face[2, 0] = 25
    assert frontality(face @ turn.T) == pytest.approx(0.75, abs=1e-5), "a head that is tilted looks at the camera"


def test_best_portrait_of_a_tracklet_gives_its_embedding(embedder: Embedder) -> None:
    best, worse = portrait(embedder, astronaut()), portrait(embedder, astronaut(blur_px=1.5))
    album = Album(embedder)
    album.add(rows(7, [0.0, 0.1, 0.2]), [worse, best, None])
    album.embed_before(float("inf"))
    assert list(album.embeddings) == [7]
    assert np.allclose(album.embeddings[7], embedder.embed(best.bgr), atol=1e-6)


def test_tracklet_without_a_usable_portrait_has_no_embedding(embedder: Embedder) -> None:
    album = Album(embedder)
    album.add(rows(0, [0.0]), [portrait(embedder, astronaut(blur_px=5))])
    album.add(rows(1, [0.0]), [None])
    album.embed_before(float("inf"))
    assert album.embeddings == {}


def test_long_tracklet_is_the_mean_of_portraits_from_different_times(embedder: Embedder) -> None:
    one, other = portrait(embedder, astronaut()), portrait(embedder, astronaut(400))
    album = Album(embedder)
    for window, pictured in enumerate([one, other]):
        times_s = (window * WINDOW_S + np.arange(80) / 30).tolist()
        album.add(rows(0, times_s), [pictured] + [None] * 79)
    album.embed_before(float("inf"))
    mean = embedder.embed(one.bgr) + embedder.embed(other.bgr)
    assert np.allclose(album.embeddings[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_only_tracklets_that_have_ended_are_embedded(embedder: Embedder) -> None:
    pictured = portrait(embedder, astronaut())
    album = Album(embedder)
    album.add(rows(0, [0.0]), [pictured])
    album.add(rows(1, [5.0]), [pictured])
    album.embed_before(2.0)
    assert list(album.embeddings) == [0]


@pytest.mark.parametrize(("interval_s", "step"), [(1 / 30, 10), (0.2, 2), (0.5, 1), (0.0, 1)])
def test_frames_are_looked_at_several_times_a_second_however_many_there_are(interval_s: float, step: int) -> None:
    frames = np.arange(100, 200, 2)
    assert sorted(looked_at(frames, interval_s)) == frames[::step].tolist()
