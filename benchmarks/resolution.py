"""Faces found in pictures of each size, and what finding them costs: searched at 640 pixels, and as recordings are.

    python -m benchmarks.resolution [--repeats 3]

Each picture holds up to twelve portraits with faces of 40 to 100 pixels, the box's shorter side. A frame's cost is
processor time of decoding H.264, of making the two pictures that are searched and cropped from, and of the search.
Compare the ratios: the times are this machine's.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.detection import WHOLE_PX, Detector, Faces
from emotion_timeline.media.frames import Frame, read_frames
from emotion_timeline.media.plan import SegmentPlan, plan
from tests.media.make import Clip, encode
from tests.media.portrait import scatter_faces

SIZES = ((640, 360), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160), (7680, 4320))
FACES_PX = (40, 50, 60, 70, 80, 100)
FACES = 12
FRAMES = 4
X264 = {"preset": "ultrafast", "crf": "23", "g": "12", "threads": "1"}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    detector = Detector()
    cv2.setNumThreads(1)
    print(f"{'picture':<12}{'searched at':<13}{'found at 640':<14}{'found':<8}{'ms a frame':<22}ratio")
    for width, height in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            print(row(Path(folder) / "clip.mp4", (width, height), detector, repeats), flush=True)


def row(clip: Path, size: tuple[int, int], detector: Detector, repeats: int) -> str:
    """The figures of one size."""
    count = min(FACES, (size[0] // 450) * max(size[1] // 450, 1))  # a portrait takes so much room
    image, centres = scatter_faces(size, list(islice(cycle(FACES_PX), count)))
    encode(Clip(clip.name, options=X264, size=size), [image] * FRAMES, clip)
    (segment,) = plan(clip, 1e6).segments
    frame = next(read_frames(clip, segment, threads=1))
    assert frame.small_bgr is not None
    shrunk = at_whole_side(frame)
    found = [count_found(faces, centres, scale) for faces, scale in searched(detector, frame, shrunk)]
    decode_ms = cost_ms(lambda: decode(clip, segment), repeats) / FRAMES
    before, now = (
        decode_ms + cost_ms(lambda picture=picture: detector.search(picture), repeats)  # type: ignore[misc]
        for picture in (shrunk, frame.small_bgr)
    )
    at = "x".join(map(str, frame.small_bgr.shape[1::-1]))
    times = f"{before:.0f} -> {now:.0f}"
    before_now = [f"{number}/{count}" for number in found]
    return f"{f'{size[0]}x{size[1]}':<12}{at:<13}{before_now[0]:<14}{before_now[1]:<8}{times:<22}{now / before:.2f}"


def searched(detector: Detector, frame: Frame, shrunk: NDArray[np.uint8]) -> list[tuple[Faces, float]]:
    """What is found in a frame made small, and in it as it is searched; each with pixels of the frame per pixel."""
    assert frame.luma is not None and frame.small_bgr is not None
    width = frame.luma.shape[1]
    return [(detector.search(picture), width / picture.shape[1]) for picture in (shrunk, frame.small_bgr)]


def at_whole_side(frame: Frame) -> NDArray[np.uint8]:
    """A frame's picture with a longest side of 640, as all were searched before."""
    assert frame.small_bgr is not None
    shrink = max(max(frame.small_bgr.shape) / WHOLE_PX, 1.0)
    height, width = (round(side / shrink) for side in frame.small_bgr.shape[:2])
    return np.asarray(cv2.resize(frame.small_bgr, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def count_found(faces: Faces, centres: Sequence[tuple[float, float, float]], scale: float) -> int:
    """How many of the faces at these centres, with these sizes, were found."""
    middles = (faces.boxes_xywh[:, :2] + faces.boxes_xywh[:, 2:] / 2) * scale
    return sum(bool((np.hypot(*(middles - (x, y)).T) < px / 2).any()) for x, y, px in centres)


def decode(clip: Path, segment: SegmentPlan) -> None:
    """Decode the clip, and make the pictures that are searched and cropped from."""
    for _ in read_frames(clip, segment, threads=1):
        pass


def cost_ms(work: Callable[[], object], repeats: int) -> float:
    """Processor time in milliseconds, the least of some runs."""
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        costs.append(time.process_time() - start)
    return min(costs) * 1000


if __name__ == "__main__":
    main()
