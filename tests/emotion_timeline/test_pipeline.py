"""One segment from the file to its rows, with the real stages on real clips."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from emotion_timeline import pipeline
from emotion_timeline.durations import interval_s
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import ModelError, Stopped, VideoError
from emotion_timeline.faces.detection import Detector, packaged_model
from emotion_timeline.faces.embedding import Embedder, Embedding
from emotion_timeline.faces.portraits import looked_at
from emotion_timeline.faces.preprocessing import Preprocessing
from emotion_timeline.faces.upright import CHECKS
from emotion_timeline.media.frames import Frame, read_frames
from emotion_timeline.media.plan import SegmentPlan, VideoPlan, plan
from emotion_timeline.observations import OBSERVATION, Observations, Status
from emotion_timeline.pipeline import BATCH_SIZE, MIN_FACE_PX, Stages, analyze, load_stages
from tests.media.make import encode_stretches
from tests.media.portrait import draw_face

ROOT = Path(__file__).parents[2]
ASTRONAUT = ROOT / "tests" / "media" / "astronaut.mp4"
SHARED = ROOT.parent / "shared" / "data" / "videos"
pytestmark = pytest.mark.tensorflow
needs_shared_clips = pytest.mark.skipif(not SHARED.is_dir(), reason="the clips in ../shared/data/videos are not there")


@pytest.fixture(scope="session")
def stages() -> Stages:
    return load_stages(ROOT / "models" / "paper")


@pytest.fixture(scope="module")
def astronaut() -> VideoPlan:
    return plan(ASTRONAUT, segment_s=2)


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def observe(path: Path, segments: VideoPlan | SegmentPlan, stages: Stages) -> Observations:
    parts = segments.segments if isinstance(segments, VideoPlan) else (segments,)
    return np.concatenate([block for segment in parts for block in analyze(path, segment, stages)])


@pytest.fixture(scope="module")
def rows(astronaut: VideoPlan, stages: Stages) -> Observations:
    """All rows of the astronaut's clip."""
    return observe(ASTRONAUT, astronaut, stages)


def test_every_frame_leaves_a_row_in_order(astronaut: VideoPlan, rows: Observations) -> None:
    assert rows.dtype == OBSERVATION
    assert np.array_equal(np.unique(rows["frame"]), np.arange(astronaut.info.frame_count))
    assert np.all(np.diff(rows["frame"]) >= 0)


def test_each_tracklet_that_was_looked_at_has_an_embedding_and_the_rows_are_the_same_without(
    astronaut: VideoPlan, rows: Observations, stages: Stages
) -> None:
    embedder = Embedder()
    telling = replace(stages, embedder=embedder)
    found: list[Embedding] = []
    for segment in astronaut.segments:
        album = telling.album
        assert album is not None
        own = np.concatenate(list(analyze(ASTRONAUT, segment, telling, album=album)))
        assert np.array_equal(own["tracklet"], rows["tracklet"][np.isin(rows["frame"], segment.frames)])
        looked = np.isin(own["frame"], list(looked_at(segment.frames, interval_s(vars(segment)))))
        assert set(album.embeddings) == set(own["tracklet"][looked & (own["status"] == Status.OK)].tolist())
        found += album.embeddings.values()
    assert len(found) > 1 and np.min(np.stack(found) @ np.stack(found).T) > 0.6, "one person in all segments"
    assert stages.album is None


def test_timestamps_are_the_frames_own(astronaut: VideoPlan, rows: Observations) -> None:
    pts = np.concatenate([segment.pts for segment in astronaut.segments])
    expected = (pts - astronaut.origin_pts) * float(astronaut.time_base)
    assert np.abs(rows["timestamp_s"] - expected[rows["frame"]]).max() < 1e-6


def test_each_status_has_what_it_promises_and_nothing_else(rows: Observations) -> None:
    has_face = np.isin(rows["status"], [Status.OK, Status.TOO_SMALL])
    classified = rows["status"] == Status.OK
    assert classified.any() and not has_face.all()
    for field in ("confidence", "box"):
        filled = np.isfinite(rows[field]).reshape(len(rows), -1)
        assert np.array_equal(filled.all(axis=1), has_face) and np.array_equal(filled.any(axis=1), has_face)
    assert np.array_equal(np.isfinite(rows["probabilities"]).all(axis=1), classified)
    assert np.array_equal(np.isfinite(rows["probabilities"]).any(axis=1), classified)
    assert np.array_equal(rows["face"] >= 0, has_face)
    assert np.array_equal(rows["tracklet"] >= 0, has_face)


def test_probabilities_sum_to_one(rows: Observations) -> None:
    classified = rows[rows["status"] == Status.OK]
    assert np.abs(classified["probabilities"].sum(axis=1) - 1).max() < 1e-5
    assert classified["probabilities"].min() >= 0


def test_faces_of_a_frame_are_numbered_from_left_to_right(rows: Observations) -> None:
    for frame in np.unique(rows["frame"][rows["face"] > 0]):
        faces = rows[rows["frame"] == frame]
        assert faces["face"].tolist() == list(range(len(faces)))
        assert np.all(np.diff(faces["box"][:, 0]) >= 0)


def test_result_is_bit_identical_over_runs_and_numbers_of_threads(astronaut: VideoPlan, stages: Stages) -> None:
    segment = astronaut.segments[0]
    expected = observe(ASTRONAUT, segment, stages).tobytes()
    for threads in (1, 3):
        assert observe(ASTRONAUT, segment, replace(stages, detection_threads=threads)).tobytes() == expected


def test_progress_counts_the_segments_frames(astronaut: VideoPlan, stages: Stages) -> None:
    segment = astronaut.segments[0]
    counts: list[int] = []
    list(analyze(ASTRONAUT, segment, stages, on_progress=counts.append))
    assert counts == list(range(1, len(segment.frames) + 1))


def test_sampled_frames_are_those_of_the_plan(stages: Stages) -> None:
    (segment,) = plan(ASTRONAUT, segment_s=1e6, sample_hz=2).segments
    assert np.array_equal(np.unique(observe(ASTRONAUT, segment, stages)["frame"]), segment.frames)


def test_boxes_are_in_pixels_of_the_frame_as_displayed(tmp_path: Path, stages: Stages) -> None:
    """A frame larger than the detector's picture: the box still frames the face in the full frame."""
    (segment,) = plan(ASTRONAUT, segment_s=1e6, sample_hz=1).segments
    frame = next(read_frames(ASTRONAUT, segment))
    assert frame.luma is not None and frame.small_bgr is not None
    doubled = replace(frame, luma=np.asarray(cv2.resize(frame.luma, None, fx=2, fy=2), np.uint8))
    plain, large = pipeline._search(frame, stages), pipeline._search(doubled, stages)
    assert np.allclose(large.rows["box"], 2 * plain.rows["box"], rtol=1e-5)
    assert np.abs(large.crops.astype(float) - plain.crops).mean() < 3


def test_a_face_is_one_in_pictures_that_change_their_size(tmp_path: Path, stages: Stages) -> None:
    """A call that begins small and grows, and a phone that is turned: the face stands still in the middle."""
    at_scale = {(640, 360): 0.8, (320, 180): 0.4, (960, 540): 1.2, (360, 640): 0.8 / 0.5625}
    stretches = [[draw_face(size, size[0] / 2, size[1] / 2, scale)] * 5 for size, scale in at_scale.items()]
    encode_stretches("libvpx", stretches, tmp_path / "call.webm")
    planned = plan(tmp_path / "call.webm", segment_s=1e6)
    rows = observe(tmp_path / "call.webm", planned, stages)
    assert rows["tracklet"].tolist() == [0] * 20
    assert np.ptp(rows["box"], axis=0).max() < 8, "in pixels of 640x360"
    assert np.allclose(rows["box"][:, 0] + rows["box"][:, 2] / 2, 320, atol=12)
    assert [tuple(size) for size in rows["picture"][::5].tolist()] == list(at_scale)
    assert set(rows["status"].tolist()) == {Status.OK, Status.TOO_SMALL}
    small = rows["box"][:, 2:].min(axis=1) < np.repeat([40, 80, 40 / 1.5, 22.5], 5)
    assert (rows["status"] == np.where(small, Status.TOO_SMALL, Status.OK)).all(), "by the picture's own pixels"


def test_a_recording_on_its_side_is_noticed_and_can_be_turned(tmp_path: Path, stages: Stages) -> None:
    """Without a rotation flag, a smiling face lies on its side: the network reads it wrongly, until it is turned."""
    upright = draw_face((640, 360), 320, 180, 1.0)
    lying = np.asarray(cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE), np.uint8)
    path = tmp_path / "lying.webm"
    encode_stretches("libvpx", [[lying] * 8], path)
    for rotate, turn, size in ((0, 3, (360, 640)), (270, 0, (640, 360))):
        planned = plan(path, 1e6, rotate=rotate)
        assert (planned.info.width, planned.info.height) == size
        assert (planned.info.rotation, planned.info.rotate) == (rotate, rotate)
        rows = observe(path, planned, stages)
        assert np.isin(rows["turn"], [turn, -1]).all()
        assert len(np.unique(rows["frame"][rows["turn"] == turn])) == CHECKS
    assert (rows["status"] == Status.OK).all()
    assert (rows["probabilities"].argmax(axis=1) == EMOTIONS.index("happy")).all()
    expected = Detector().detect(upright).boxes_xywh[0]
    assert np.abs(rows["box"] - expected).max() < 8, "in pixels of the recording as it was turned"


def test_face_below_the_least_size_is_kept_but_not_classified(stages: Stages) -> None:
    (segment,) = plan(ASTRONAUT, segment_s=1e6, sample_hz=1).segments
    frame = next(read_frames(ASTRONAUT, segment))
    assert frame.small_bgr is not None
    side = pipeline._search(frame, stages).rows["box"][0, 2:].min()
    for factor, status in ((0.9, Status.TOO_SMALL), (1.15, Status.OK)):
        searched = pipeline._search(shrink(frame, factor * MIN_FACE_PX / side), stages)
        assert searched.rows["status"].tolist() == [status]
        assert len(searched.crops) == (status == Status.OK)
        assert np.isfinite(searched.rows["box"]).all() and np.isfinite(searched.rows["confidence"]).all()


def shrink(frame: Frame, factor: float) -> Frame:
    """The frame's picture made smaller and put into a grey one of the old size."""
    assert frame.luma is not None and frame.small_bgr is not None

    def paste(image: Any) -> Any:
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        canvas = np.full_like(image, 128)
        canvas[: small.shape[0], : small.shape[1]] = small
        return canvas

    return replace(frame, luma=paste(frame.luma), small_bgr=paste(frame.small_bgr))


def test_damaged_frames_are_rows_with_decode_error(tmp_path: Path, stages: Stages) -> None:
    """Bytes overwritten in the middle: no frame is missing, and those that can't be decoded say so."""
    damaged = tmp_path / "damaged.mp4"
    content = bytearray(ASTRONAUT.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = np.random.default_rng(0).bytes(4000)
    damaged.write_bytes(content)
    planned = plan(ASTRONAUT, segment_s=2, sample_hz=8)
    found = observe(damaged, planned, stages)
    expected = np.concatenate([segment.frames for segment in planned.segments])
    assert np.array_equal(np.unique(found["frame"]), expected)
    errors = found["status"] == Status.DECODE_ERROR
    assert 0 < errors.sum() < len(found)
    assert np.all(found["face"][errors] == -1) and np.isnan(found["probabilities"][errors]).all()


def test_batches_are_filled_with_whole_frames(astronaut: VideoPlan, stages: Stages) -> None:
    blocks = list(analyze(ASTRONAUT, astronaut.segments[0], stages))
    for block in blocks:
        assert np.count_nonzero(block["status"] == Status.OK) <= BATCH_SIZE
    for block, following in pairwise(blocks):
        assert block["frame"][-1] < following["frame"][0]


def test_no_more_frames_are_held_than_the_bound(
    astronaut: VideoPlan, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(path: Path, segment: SegmentPlan) -> Iterator[Frame]:
        nonlocal read
        for frame in read_frames(path, segment):
            read += 1
            yield frame

    monkeypatch.setattr(pipeline, "read_frames", counted)
    segment = astronaut.segments[0]
    taken = 0
    searched = pipeline._search_all(ASTRONAUT, segment, stages, lambda: False)
    for _ in searched:
        taken += 1
        assert read - taken <= 2 * stages.detection_threads + 1
    assert taken == read == len(segment.frames)


@pytest.mark.parametrize("after", [0, 1, 40])
def test_stop_ends_the_analysis_and_its_threads(astronaut: VideoPlan, stages: Stages, after: int) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Stopped):
        list(analyze(ASTRONAUT, astronaut.segments[0], stages, should_stop=should_stop))


def test_caller_may_leave_before_the_end(astronaut: VideoPlan, stages: Stages) -> None:
    blocks = analyze(ASTRONAUT, astronaut.segments[0], stages)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]


def test_error_of_the_decoding_thread_reaches_the_caller(tmp_path: Path, astronaut: VideoPlan, stages: Stages) -> None:
    with pytest.raises(VideoError):
        list(analyze(tmp_path / "gone.mp4", astronaut.segments[0], stages))


def test_error_of_a_detection_thread_reaches_the_caller(tmp_path: Path, astronaut: VideoPlan, stages: Stages) -> None:
    """A YuNet whose last layers want another number of values loads, but fails on every frame."""
    model = onnx.load(packaged_model())
    shape = next(constant for constant in model.graph.initializer if constant.name == "290")
    shape.CopyFrom(numpy_helper.from_array(np.array([1, 7, 11], np.int64), "290"))
    onnx.save(model, tmp_path / "broken.onnx")
    broken = replace(stages, detector=Detector(tmp_path / "broken.onnx"))
    with pytest.raises(Exception, match=r"[Rr]eshape"):
        list(analyze(ASTRONAUT, astronaut.segments[0], broken))


def test_error_of_classification_ends_the_threads(astronaut: VideoPlan, stages: Stages) -> None:
    """Crops of another size than the network's."""
    mismatched = replace(stages, preprocessing=Preprocessing(size=40))
    with pytest.raises(Exception, match="shape"):
        list(analyze(ASTRONAUT, astronaut.segments[0], mismatched))


def test_missing_model_is_told_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="absent"):
        load_stages(tmp_path / "absent")


@needs_shared_clips
def test_smile_comes_and_goes(stages: Stages) -> None:
    """A man is neutral, smiles broadly and is neutral again."""
    path = SHARED / "single_face.mp4"
    found = observe(path, plan(path), stages)
    assert found["status"].tolist() == [Status.OK] * len(found)
    assert set(found["tracklet"].tolist()) == {0}
    happy, neutral = (found["probabilities"][:, EMOTIONS.index(name)] for name in ("happy", "neutral"))
    before, smile, after = slice(0, 15), slice(30, 65), slice(-1, None)  # read off the frames
    assert happy[before].mean() < neutral[before].mean()
    assert np.all(found["probabilities"][smile].argmax(axis=1) == EMOTIONS.index("happy"))
    assert happy[after].mean() < neutral[after].mean()


@needs_shared_clips
def test_no_face_is_invented(stages: Stages) -> None:
    path = SHARED / "no_face.mp4"
    found = observe(path, plan(path), stages)
    assert found["status"].tolist() == [Status.NO_FACE] * 95


@needs_shared_clips
def test_faces_are_found_in_every_frame_that_shows_one(stages: Stages) -> None:
    """A title without faces (96 frames), a man (72), and one black frame at the end."""
    path = SHARED / "noface_face.mov"
    found = observe(path, plan(path), stages)
    assert found["status"].tolist() == [Status.NO_FACE] * 96 + [Status.OK] * 72 + [Status.NO_FACE]
