"""Linking of boxes over time, within a segment and across segments."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion_timeline.durations import stands_s
from emotion_timeline.faces.tracking import Box, Linker, Tracklet, join
from emotion_timeline.observations import Observations, Status, blank

LEFT: Box = (100, 100, 80, 100)
RIGHT: Box = (400, 110, 90, 110)


def observe(frames: list[tuple[float, list[Box]]]) -> Observations:
    """Rows for (timestamp, boxes) of each frame; a frame without boxes leaves a row without a face."""
    parts = []
    for index, (timestamp_s, boxes) in enumerate(frames):
        rows = blank(max(1, len(boxes)))
        rows["frame"], rows["timestamp_s"] = index, timestamp_s
        if boxes:
            rows["face"], rows["status"], rows["box"] = np.arange(len(boxes)), Status.OK, boxes
        parts.append(rows)
    return np.concatenate(parts)


def interval_of(observations: Observations) -> float:
    """The usual time between frames, as a plan has it."""
    steps_s = np.diff(np.unique(observations["timestamp_s"]))
    return float(np.median(steps_s)) if len(steps_s) else 0.0


def link(observations: Observations) -> NDArray[np.int32]:
    """Numbers of a whole segment."""
    return Linker(interval_of(observations)).link(observations)


def moved(box: Box, dx: float, dy: float = 0, growth: float = 1) -> Box:
    return (box[0] + dx, box[1] + dy, box[2] * growth, box[3] * growth)


def test_two_still_faces_keep_their_numbers() -> None:
    observations = observe([(i / 30, [LEFT, RIGHT]) for i in range(50)])
    assert link(observations).tolist() == [0, 1] * 50


def test_rows_without_a_face_get_minus_one() -> None:
    assert link(observe([(0.0, []), (0.1, [LEFT]), (0.2, [])])).tolist() == [-1, 0, -1]


def test_nothing_to_link() -> None:
    assert link(blank(0)).tolist() == []


def test_walking_and_approaching_face_is_followed_past_another() -> None:
    frames = [(i / 30, [moved(LEFT, 8 * i, 0, 1 + i / 100), moved(LEFT, 300, 200)]) for i in range(60)]
    assert link(observe(frames)).tolist() == [0, 1] * 60


def test_numbers_follow_the_faces_when_their_order_in_the_frame_changes() -> None:
    """One face passes above another from left to right: the rows swap, the numbers do not."""
    frames = []
    for i in range(40):
        faces = sorted([(moved(LEFT, 15 * i), 0), (moved(LEFT, 300, 150), 1)])
        frames.append((i / 30, faces))
    expected = [number for _, faces in frames for _, number in faces]
    assert expected[:2] != expected[-2:]
    assert link(observe([(t, [box for box, _ in faces]) for t, faces in frames])).tolist() == expected


@pytest.mark.parametrize(("gap_s", "same"), [(0.5, True), (0.95, True), (1.5, False)])
def test_face_that_comes_back_to_its_place_within_a_second_is_the_same(gap_s: float, same: bool) -> None:
    before = [(i / 25, [LEFT]) for i in range(5)]
    unseen = [(0.2 + i / 25, list[Box]()) for i in range(round((gap_s - 0.04) * 25) - 1)]
    after = [(0.16 + gap_s, [moved(LEFT, 20)])]
    assert link(observe(before + unseen + after))[-1] == (0 if same else 1)


@pytest.mark.parametrize(
    "other", [RIGHT, moved(LEFT, 0, 0, 2.5), moved(LEFT, 0, 0, 0.3)], ids=["place", "large", "small"]
)
def test_face_elsewhere_or_of_another_size_is_another(other: Box) -> None:
    assert link(observe([(0.0, [LEFT]), (0.04, []), (0.08, [other])])).tolist() == [0, -1, 1]


@pytest.mark.parametrize(("shift", "same"), [(0.74, True), (0.76, False)])
def test_face_moves_by_up_to_three_quarters_of_its_size_between_two_frames(shift: float, same: bool) -> None:
    other = moved(LEFT, shift * (LEFT[2] * LEFT[3]) ** 0.5)
    assert link(observe([(0.0, [LEFT]), (0.04, [other])])).tolist() == [0, 0 if same else 1]


def test_nearest_pair_is_linked_first() -> None:
    """A new face beside a known one does not take its number, though both are near enough."""
    near, nearer = moved(LEFT, -40), moved(LEFT, 10)
    assert link(observe([(0.0, [LEFT]), (0.04, [near, nearer])])).tolist() == [0, 1, 0]


@pytest.mark.parametrize("interval_s", [1.0, 5.0])
def test_sparse_samples_may_miss_a_face_once(interval_s: float) -> None:
    frames: list[tuple[float, list[Box]]] = [(i * interval_s, [LEFT]) for i in range(5)]
    frames[2] = (frames[2][0] + 0.03, [])
    assert link(observe(frames)).tolist() == [0, 0, -1, 0, 0]


def test_blocks_give_the_same_numbers_as_the_whole() -> None:
    observations = observe([(i / 30, [moved(LEFT, 4 * i), RIGHT] if i % 7 else [RIGHT]) for i in range(60)])
    linker = Linker(1 / 30)
    cuts = np.flatnonzero(np.isin(observations["frame"], [10, 11, 40]) & (observations["face"] == 0))
    blocks = [linker.link(block) for block in np.split(observations, cuts)]
    assert np.array_equal(np.concatenate(blocks), link(observations))


def tracklet(
    segment: int, number: int, first_s: float, last_s: float, box: Box = LEFT, last: Box | None = None
) -> Tracklet:
    return Tracklet(segment, number, first_s, last_s, last_s, box, last or box)


def test_faces_are_joined_over_the_cut_whatever_their_numbers() -> None:
    tracklets = [
        tracklet(0, 0, 0, 19.97, RIGHT, LEFT),
        tracklet(0, 1, 3, 19.97, RIGHT),
        tracklet(1, 0, 20, 40, RIGHT),
        tracklet(1, 1, 20, 40, LEFT),
    ]
    assert join(tracklets, 1 / 30) == {(0, 0): 1, (0, 1): 2, (1, 0): 2, (1, 1): 1}


def test_ids_are_one_based_by_first_appearance() -> None:
    assert join([tracklet(1, 0, 30, 40, RIGHT), tracklet(0, 0, 5, 6)], 1 / 30) == {(0, 0): 1, (1, 0): 2}


def test_nothing_to_join() -> None:
    assert join([], 0.0) == {}


def test_face_that_is_still_seen_is_not_given_to_another() -> None:
    assert join([tracklet(0, 0, 0, 20.5), tracklet(1, 0, 20.2, 30)], 1 / 30) == {(0, 0): 1, (1, 0): 2}


def test_faces_that_linking_kept_apart_stay_apart() -> None:
    assert join([tracklet(0, 0, 0, 5), tracklet(0, 1, 5.5, 9)], 1 / 30) == {(0, 0): 1, (0, 1): 2}


def test_face_goes_on_through_segments_shorter_than_the_gap() -> None:
    assert join([tracklet(0, 0, 0, 0.4), tracklet(2, 0, 1.2, 1.5)], 1 / 30) == {(0, 0): 1, (2, 0): 1}


@pytest.mark.parametrize(
    ("first_s", "interval_s", "face_id"), [(20.9, 0.04, 1), (21.1, 0.04, 2), (27, 5, 1), (28, 5, 2)]
)
def test_gap_across_segments_follows_the_rule_within(first_s: float, interval_s: float, face_id: int) -> None:
    assert join([tracklet(0, 0, 0, 20), tracklet(1, 0, first_s, 60)], interval_s)[1, 0] == face_id


def test_order_of_tracklets_does_not_matter() -> None:
    tracklets = [tracklet(s, n, 20 * s + n / 9, 20 * s + 19.9, moved(LEFT, 45 * n)) for s in range(5) for n in range(6)]
    expected = join(tracklets, 1 / 30)
    random.Random(3).shuffle(tracklets)
    assert join(tracklets, 1 / 30) == expected
    assert set(expected.values()) == set(range(1, max(expected.values()) + 1))


def in_parts(observations: Observations, cuts: list[int], interval_s: float) -> list[int]:
    """Each row's face, from 0 on, by linking parts of a segment, cut at these frames, and joining them."""
    parts = np.split(observations, np.searchsorted(observations["frame"], cuts))
    tracklets: list[Tracklet] = []
    numbers = []
    for segment, part in enumerate(parts):
        numbers.append(Linker(interval_s).link(part))
        times_s = np.unique(part["timestamp_s"])
        end_s = parts[segment + 1]["timestamp_s"][0] if segment + 1 < len(parts) else times_s[-1]
        until_s = dict(zip(times_s, times_s + stands_s(times_s, end_s, interval_s), strict=True))
        for number in range(numbers[-1].max(initial=-1) + 1):
            rows = part[numbers[-1] == number]
            first, last = rows[0], rows[-1]
            spans_s = (float(first["timestamp_s"]), float(last["timestamp_s"]), float(until_s[last["timestamp_s"]]))
            tracklets.append(Tracklet(segment, number, *spans_s, first["box"].tolist(), last["box"].tolist()))
    ids = join(tracklets, interval_s)
    return [ids[s, n] - 1 if n >= 0 else -1 for s, part_numbers in enumerate(numbers) for n in part_numbers.tolist()]


@pytest.mark.parametrize("cut", [1, 13, 30, 59])
def test_cutting_a_segment_in_two_changes_no_face(cut: int) -> None:
    """Linking two halves and joining them gives the faces that linking the whole gives."""
    observations = observe([(i / 30, [moved(LEFT, 4 * i), RIGHT] if i % 7 else [RIGHT]) for i in range(60)])
    assert in_parts(observations, [cut], 1 / 30) == link(observations).tolist()


def test_a_face_of_a_time_lapse_is_one_however_it_is_cut() -> None:
    observations = observe([(5.0 * i, [LEFT] if i != 3 else []) for i in range(8)])
    expected = [0, 0, 0, -1, 0, 0, 0, 0]
    assert link(observations).tolist() == expected
    for cuts in (list(range(1, 8)), [3], [4]):
        assert in_parts(observations, cuts, 5.0) == expected


@pytest.mark.parametrize("stands", [1.56, 1.9])
def test_a_picture_that_stands_still_for_a_while_is_no_gap(stands: float) -> None:
    frames = [(i / 25, [LEFT]) for i in range(10)] + [(9 / 25 + stands + i / 25, [LEFT]) for i in range(10)]
    observations = observe(frames)
    assert set(link(observations).tolist()) == {0}
    assert set(in_parts(observations, [10], 1 / 25)) == {0}


def test_after_a_picture_that_stood_still_for_long_a_face_is_another() -> None:
    frames = [(i / 25, [LEFT]) for i in range(10)] + [(12 + i / 25, [LEFT]) for i in range(10)]
    assert link(observe(frames)).tolist() == [0] * 10 + [1] * 10


def test_no_face_goes_on_over_a_cut() -> None:
    observations = observe([(i / 30, [LEFT, RIGHT]) for i in range(20)])
    observations["begins_shot"] = np.isin(observations["frame"], [0, 7])
    assert link(observations).tolist() == [0, 1] * 7 + [2, 3] * 13


def test_no_face_goes_on_over_a_cut_between_segments() -> None:
    tracklets = [tracklet(0, 0, 0, 19.97), tracklet(1, 0, 20, 40), tracklet(2, 0, 40.03, 60)]
    assert join(tracklets, 1 / 30, [0.0, 20.0]) == {(0, 0): 1, (1, 0): 2, (2, 0): 2}
    assert join(tracklets, 1 / 30, [0.0, 19.0]) == {(0, 0): 1, (1, 0): 1, (2, 0): 1}, "another's cut while it is seen"
