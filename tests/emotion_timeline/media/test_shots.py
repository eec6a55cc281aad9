"""Where shots begin: cuts, and all that only looks like one."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emotion_timeline.media.shots import Edges, ShotFinder, Signature, continues, signature

HEIGHT, WIDTH = 180, 320
Picture = NDArray[np.uint8]


@dataclass
class Seen:
    signature: Signature | None


def scene(seed: int) -> Picture:
    """A picture with large and small shapes, three times as wide as a frame."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 48, 3), np.uint8)
    return cv2.resize(coarse, (3 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def pan(seed: int, frames: int, step_px: float) -> list[Picture]:
    wide = scene(seed)
    return [wide[:, round(i * step_px) :][:, :WIDTH] for i in range(frames)]


def still(seed: int, frames: int) -> list[Picture]:
    return pan(seed, frames, 0)


def beginnings(pictures: Sequence[Picture | None]) -> list[int]:
    """Numbers of the frames that begin a shot."""
    frames = [Seen(None if picture is None else signature(picture)) for picture in pictures]
    followed = list(ShotFinder().follow(frames))
    assert [id(frame) for frame, _ in followed] == [id(frame) for frame in frames], "all of them, in order"
    return [number for number, (_, begins) in enumerate(followed) if begins]


def darker(pictures: Sequence[Picture], by: float) -> list[Picture]:
    return [(picture * by).astype(np.uint8) for picture in pictures]


def test_a_cut_begins_a_shot() -> None:
    assert beginnings([*still(1, 10), *still(2, 3), *pan(3, 20, 2), *still(4, 10)]) == [0, 10, 13, 33]


def test_a_cut_in_a_dark_recording_begins_a_shot() -> None:
    assert beginnings([*darker(still(1, 10), 0.3), *darker(still(2, 10), 0.3)]) == [0, 10]


@pytest.mark.parametrize("step_px", [0.5, 4, 12])
def test_a_camera_that_pans_makes_no_cut(step_px: float) -> None:
    assert beginnings(pan(1, 50, step_px)) == [0]


def test_a_cut_out_of_a_pan_is_found() -> None:
    assert beginnings([*pan(1, 30, 4), *pan(2, 30, 4)]) == [0, 30]


def test_a_flash_makes_no_cut() -> None:
    pictures = still(1, 20)
    for flash in (0, 1, 5, 12, 18, 19):
        pictures[flash] = np.full_like(pictures[flash], 250)
    assert beginnings(pictures[2:18]) == [0]


def test_pictures_that_are_repeated_make_no_cut() -> None:
    """As in a recording at 30 frames/s of a screen at 15."""
    assert beginnings([picture for picture in pan(1, 30, 12) for _ in range(2)]) == [0]


def test_a_picture_that_is_turned_makes_no_cut() -> None:
    upright = [np.ascontiguousarray(picture[:, 110:210]) for picture in still(1, 10)]
    assert beginnings([*still(1, 10), *upright, *still(1, 10), *still(2, 10)]) == [0, 30]


def test_a_slow_change_of_the_light_makes_no_cut() -> None:
    assert beginnings([darker([picture], 1 - i / 40)[0] for i, picture in enumerate(still(1, 30))]) == [0]


def test_sparse_samples_of_a_scene_that_moves_make_no_cut() -> None:
    assert beginnings(pan(1, 20, 30)) == [0]


def test_frames_without_a_picture_begin_nothing() -> None:
    assert beginnings([None, None, *still(1, 5), None, *still(1, 5), None, *still(2, 5)]) == [2, 14]
    assert beginnings([*still(1, 2), *([None] * 300), *still(2, 2)]) == [0, 302]
    assert beginnings([None] * 3) == []
    assert beginnings([]) == []


def edges(pictures: Sequence[Picture | None]) -> Edges:
    finder = ShotFinder()
    list(finder.follow([Seen(None if picture is None else signature(picture)) for picture in pictures]))
    return finder.edges


@pytest.mark.parametrize("frames", [1, 2, 30])
def test_a_shot_goes_on_over_segments_unless_there_is_a_cut(frames: int) -> None:
    whole = pan(1, 2 * frames, 2)
    assert continues(edges(whole[:frames]), edges(whole[frames:]))
    assert not continues(edges(whole[:frames]), edges(pan(2, frames, 4)))


def test_later_shots_of_a_segment_say_nothing_of_its_border() -> None:
    """Slides stand still for long, so a segment's first three unlike pictures may be three slides."""
    slides = [picture for seed in (2, 3, 4) for picture in still(seed, 20)]
    assert not continues(edges(still(1, 30)), edges(slides))
    assert beginnings([*still(1, 30), *slides]) == [0, 30, 50, 70], "as if there were no border"


def test_a_segment_without_a_picture_has_no_edges() -> None:
    assert edges([None, None]) == Edges()
