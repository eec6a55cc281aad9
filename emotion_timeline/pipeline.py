"""Frames in, observations out: decoding, detection, cropping, classification and linking of one segment.

One thread decodes, as many threads as there are cores detect and crop, the calling thread classifies. The work between
them is bounded, so memory does not grow with the length of the video. The result depends on nothing but the file, the
segment and the stages: frames are taken in their own order whichever thread is done first, and batches are composed by
that order alone.
"""

import math
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.durations import interval_s, longest_stand_s, longest_unseen_s
from emotion_timeline.errors import Stopped
from emotion_timeline.faces.detection import Detector
from emotion_timeline.faces.embedding import Embedder
from emotion_timeline.faces.portraits import Album, Portrait, looked_at, portray
from emotion_timeline.faces.preprocessing import Preprocessing, crop_faces
from emotion_timeline.faces.tracking import Linker
from emotion_timeline.faces.upright import checked, quarter_turns
from emotion_timeline.labels import Labels
from emotion_timeline.media.frames import Frame, read_frames
from emotion_timeline.media.plan import SegmentPlan
from emotion_timeline.media.shots import ShotFinder, Signature, signature
from emotion_timeline.observations import Observations, Status, blank

if TYPE_CHECKING:
    from emotion_timeline.faces.classification import Classifier

# The shorter side of the box, in the picture's own pixels. Below, YuNet's eyes are off by 17 % of their distance.
MIN_FACE_PX = 40
BATCH_SIZE = 32
# Frames without a face wait for a batch to fill up, but no more than these.
MAX_BLOCK_FRAMES = 64
STOP_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Stages:
    """What is loaded once per process.

    Attributes:
        detector: called by several threads at once.
        classifier: called by one thread.
        preprocessing: the crops that the classifier was trained on.
        detection_threads: how many frames are searched at once.
        embedder: tells faces apart; None where each is one by itself.
    """

    detector: Detector
    classifier: "Classifier"
    preprocessing: Preprocessing
    detection_threads: int
    embedder: Embedder | None = None

    @property
    def album(self) -> Album | None:
        """A new one, for a segment; None without an embedder."""
        return Album(self.embedder) if self.embedder else None


@dataclass(frozen=True, slots=True, eq=False)
class _SearchedFrame:
    """The rows of one frame, the crops of its rows with the status OK, and what tells it from other shots."""

    rows: Observations
    crops: NDArray[np.uint8]  # (n, size, size, 1)
    signature: Signature | None
    portraits: Sequence[Portrait | None] = ()  # n, of the same rows


def load_stages(
    model_dir: Path,
    detector_path: Path | None = None,
    threads: int | None = None,
    labels: Labels | None = None,
    *,
    persons: bool = False,
) -> Stages:
    """Loads the networks. Imports TensorFlow, so call it after the fork and only where frames are analysed.

    Args:
        model_dir: folder of the classifier.
        detector_path: a YuNet file; None takes the packaged one.
        threads: frames searched at once; None takes the cores that this process may use.
        labels: whose labels the classifier gives; see emotion_timeline.labels.Network.chosen.
        persons: whether to load the network that tells faces apart, too.

    Raises:
        ModelError: a file is missing, damaged or of another kind, or the network doesn't give those labels.
    """
    detector = Detector(detector_path)  # first: a wrong path is told before TensorFlow's seconds of loading
    embedder = Embedder() if persons else None
    from emotion_timeline.faces.classification import Classifier

    classifier = Classifier(model_dir, BATCH_SIZE, labels)
    preprocessing = Preprocessing.from_metadata(classifier.preprocessing)
    return Stages(detector, classifier, preprocessing, threads or len(os.sched_getaffinity(0)), embedder)


def analyze(
    path: Path,
    segment: SegmentPlan,
    stages: Stages,
    *,
    shots: ShotFinder | None = None,
    album: Album | None = None,
    on_progress: Callable[[int], None] = lambda frames: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Observations]:
    """Analyses one segment.

    Args:
        path: the video.
        segment: which frames.
        stages: what load_stages gave.
        shots: a new one, whose edges tell afterwards where shots go on over segments.
        album: a new one, whose embeddings tell afterwards what each tracklet looks like; None makes none.
        on_progress: called after every frame with the number of this segment's frames that were searched for faces.
        should_stop: asked before every frame and while waiting for one, several times a second; must answer at once.

    Yields:
        OBSERVATION (rows,): whole frames in their order, at least one row for every frame of the segment.

    Raises:
        Stopped: should_stop() said so.
        VideoError: the file can't be read.
    """
    sample_interval_s = interval_s(vars(segment))
    linker = Linker(sample_interval_s)
    ended_s = longest_stand_s(sample_interval_s) + longest_unseen_s(sample_interval_s)
    with closing(_search_all(path, segment, stages, should_stop, album)) as searched:
        counted = _count(searched, segment, on_progress)
        for frames in _batches(_mark_shots(counted, shots or ShotFinder())):
            rows = _classify(frames, stages.classifier)
            rows["tracklet"] = linker.link(rows)
            if album:
                _portray(rows, frames, album)
                album.embed_before(float(rows["timestamp_s"][-1]) - ended_s)
            yield rows
    if album:
        album.embed_before(math.inf)


def _portray(rows: Observations, frames: list[_SearchedFrame], album: Album) -> None:
    """Puts the portraits of some frames into the album."""
    album.add(rows[rows["status"] == Status.OK], [portrait for frame in frames for portrait in frame.portraits])


def _count(
    searched: Iterable[_SearchedFrame], segment: SegmentPlan, on_progress: Callable[[int], None]
) -> Iterator[_SearchedFrame]:
    """Reports progress, and makes sure that no frame is lost."""
    done = 0
    for frame in searched:
        done += 1
        on_progress(done)
        yield frame
    if done != len(segment.frames):
        raise RuntimeError(f"Segment {segment.index} has {len(segment.frames)} frames, but {done} were read.")


def _mark_shots(searched: Iterable[_SearchedFrame], shots: ShotFinder) -> Iterator[_SearchedFrame]:
    for frame, begins_shot in shots.follow(searched):
        frame.rows["begins_shot"] = begins_shot
        yield frame


def _search_all(
    path: Path, segment: SegmentPlan, stages: Stages, should_stop: Callable[[], bool], album: Album | None = None
) -> Generator[_SearchedFrame]:
    """Decodes and searches a segment's frames in threads, which have ended when the generator has."""
    pool = ThreadPoolExecutor(stages.detection_threads, thread_name_prefix="detection")
    pending: SimpleQueue[Future[_SearchedFrame] | None] = SimpleQueue()
    free = Semaphore(2 * stages.detection_threads)  # frames that may be held at once
    abandoned = Event()
    turning = checked(segment.frames)  # for how their faces stand
    portrayed = looked_at(segment.frames, interval_s(vars(segment))) if album else ()

    def decode() -> None:
        try:
            for frame in read_frames(path, segment):
                free.acquire()
                if abandoned.is_set():
                    return
                search = _search_and_look if frame.index in turning else _search
                pending.put(pool.submit(search, frame, stages, album if frame.index in portrayed else None))
        except BaseException as exc:  # carried over to the calling thread, which raises it
            failure: Future[_SearchedFrame] = Future()
            failure.set_exception(exc)
            pending.put(failure)
        else:
            pending.put(None)

    decoder = Thread(target=decode, name="decode", daemon=True)
    decoder.start()
    try:
        while (future := _wait(pending, should_stop)) is not None:
            searched = future.result()
            free.release()
            yield searched
    finally:
        abandoned.set()
        free.release()
        decoder.join()
        pool.shutdown(cancel_futures=True)


def _wait(
    pending: "SimpleQueue[Future[_SearchedFrame] | None]", should_stop: Callable[[], bool]
) -> Future[_SearchedFrame] | None:
    while True:
        if should_stop():
            raise Stopped("The analysis was stopped before its end.")
        try:
            return pending.get(timeout=STOP_POLL_S)
        except Empty:
            continue


def _search_and_look(frame: Frame, stages: Stages, album: Album | None) -> _SearchedFrame:
    """As _search, and sees whether the faces stand upright."""
    searched = _search(frame, stages, album)
    if frame.small_bgr is not None and (turns := quarter_turns(stages.detector, frame.small_bgr)) is not None:
        searched.rows["turn"] = turns
    return searched


def _search(frame: Frame, stages: Stages, album: Album | None = None) -> _SearchedFrame:
    """Detects and crops the faces of one frame, for an album too if one is given."""
    if frame.luma is None or frame.small_bgr is None or frame.placement is None:
        return _faceless(frame, Status.DECODE_ERROR, stages, None)
    picture = signature(frame.small_bgr)
    faces = stages.detector.search(frame.small_bgr)
    if not len(faces):
        return _faceless(frame, Status.NO_FACE, stages, picture)
    # The small picture's sides are whole pixels, so its scale may differ a little between x and y.
    scale_yx = np.divide(frame.luma.shape, frame.small_bgr.shape[:2], dtype=np.float32)
    scale_xy = scale_yx[::-1]
    boxes = faces.boxes_xywh * np.tile(scale_xy, 2)
    large_enough = boxes[:, 2:].min(axis=1) >= MIN_FACE_PX
    rows = blank(len(faces))
    rows["frame"] = frame.index
    rows["timestamp_s"] = frame.timestamp_s
    rows["face"] = np.arange(len(faces))
    rows["status"] = np.where(large_enough, Status.OK, Status.TOO_SMALL)
    rows["confidence"] = faces.confidences
    rows["box"] = frame.placement.of_boxes(boxes)
    rows["picture"] = frame.placement.picture
    crops = crop_faces(frame.luma, faces.landmarks[large_enough] * scale_xy, stages.preprocessing)
    portraits: Sequence[Portrait | None] = [None] * len(crops)
    if album:
        of = faces.landmarks[large_enough], faces.confidences[large_enough]
        portraits = portray(album.embedder, frame.small_bgr, frame.luma, *of)
    return _SearchedFrame(rows, crops, picture, portraits)


def _faceless(frame: Frame, status: Status, stages: Stages, picture: Signature | None) -> _SearchedFrame:
    rows = blank(1)
    rows["frame"] = frame.index
    rows["timestamp_s"] = frame.timestamp_s
    rows["status"] = status
    rows["picture"] = frame.placement.picture if frame.placement else 0
    size = stages.preprocessing.size
    return _SearchedFrame(rows, np.empty((0, size, size, 1), np.uint8), picture)


def _batches(searched: Iterable[_SearchedFrame]) -> Iterator[list[_SearchedFrame]]:
    """Gathers whole frames whose crops fill one batch; a frame with more crops than that comes alone."""
    batch: list[_SearchedFrame] = []
    crops = 0
    for frame in searched:
        if batch and (crops + len(frame.crops) > BATCH_SIZE or len(batch) == MAX_BLOCK_FRAMES):
            yield batch
            batch, crops = [], 0
        batch.append(frame)
        crops += len(frame.crops)
    if batch:
        yield batch


def _classify(frames: list[_SearchedFrame], classifier: "Classifier") -> Observations:
    """The rows of all frames, with probabilities where there is a crop."""
    rows = np.concatenate([frame.rows for frame in frames])
    crops = np.concatenate([frame.crops for frame in frames])
    rows["probabilities"][rows["status"] == Status.OK] = classifier.probabilities(crops)
    return rows
