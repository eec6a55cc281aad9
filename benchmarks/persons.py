"""How well persons are told apart in recordings of known people, and what it costs.

    python -m benchmarks.persons ../shared/data/faces_london [--only montage,crossing]

The folder is the one of benchmarks.person_threshold, which chooses the threshold by the people with odd numbers: the
recordings here show those with even numbers. They are drawn frame by frame, so it is known who is where: faces found
are held to who is nearest. For persons and, to compare, for tracks alone it prints

    found/true  how many there are, beside how many people there are
    B-cubed F1  of faces in frames: how pure and how whole the groups are (Amigo et al. 2009)
    IDF1        how many faces have the one number that fits their person best (Ristani et al. 2016)
    joined      pairs of different people under one number
"""

import random
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
import pandas as pd
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks.person_threshold import Change, Image, dim, lit_from_the_side, pictures
from emotion_timeline.analysis import analyze_file
from emotion_timeline.config import load
from emotion_timeline.faces import persons
from emotion_timeline.faces.detection import Detector
from emotion_timeline.faces.embedding import Embedder, Embedding
from emotion_timeline.faces.portraits import Album
from emotion_timeline.media.plan import plan
from emotion_timeline.pipeline import analyze, load_stages

WIDTH, HEIGHT = 640, 360
NEAR = 0.6  # of a face's width: a box whose centre is farther from everybody's shows nobody


def as_it_is(image: Image) -> Image:
    """In the light of the picture."""
    return image


def warm(image: Image) -> Image:
    """In the light of a bulb."""
    return np.asarray(image * np.array([0.55, 0.8, 1.0]), np.uint8)


@dataclass(frozen=True)
class Figure:
    """Somebody in a frame.

    Attributes:
        person: their place in the cast.
        mood: which of their pictures.
        x, y: centre of the picture, pixels.
        height: of the picture, pixels; the face is about half as high.
        light: falls on the picture.
    """

    person: int
    mood: int
    x: float
    y: float
    height: float
    light: Change = as_it_is


@dataclass(frozen=True)
class Shot:
    """Frames before one background, as grey as this."""

    background: int
    frames: list[list[Figure]]


@dataclass(frozen=True)
class Recording:
    """What is drawn: the shots, at so many frames per second, with so many people."""

    rate: int
    people: int
    shots: Callable[[random.Random], Iterator[Shot]]


def montage(choose: random.Random) -> Iterator[Shot]:
    """200 shots of a second, each of one of twelve people."""
    for number in range(200):
        person = number if number < 12 else choose.randrange(12)
        mood, height = choose.randrange(2), choose.uniform(160, 330)
        x, y, drift = choose.uniform(170, 470), choose.uniform(150, 210), choose.uniform(-6, 6)
        yield Shot(choose.randrange(30, 220), [[Figure(person, mood, x + drift * i, y, height)] for i in range(5)])


def absences(choose: random.Random) -> Iterator[Shot]:
    """One person, 150 times away for 2 s after 15 s."""
    frames: list[list[Figure]] = []
    for _ in range(150):
        mood, height = choose.randrange(2), choose.uniform(180, 300)
        x, y = choose.uniform(150, 490), choose.uniform(150, 210)
        frames += [[Figure(0, mood, x + 8 * np.sin(i / 3), y, height)] for i in range(30)] + [[]] * 4
    yield Shot(120, frames)


def crossing(choose: random.Random) -> Iterator[Shot]:
    """Two people who walk past each other, ten times."""
    frames = []
    for way in range(10):
        for i in range(60):
            x = 110 + 420 * i / 59
            left, right = (x, WIDTH - x) if way % 2 == 0 else (WIDTH - x, x)
            frames.append([Figure(1, 0, right, 170, 220), Figure(0, way % 2, left, 185, 250)])
    yield Shot(90, frames)


def crowd(choose: random.Random) -> Iterator[Shot]:
    """Eight at once, who change places whenever the picture is empty for 2 s, and at cuts."""
    for number in range(4):
        frames: list[list[Figure]] = []
        for _ in range(3):
            order = choose.sample(range(8), 8)
            mood = choose.randrange(2)
            places = [(80 + 160 * (i % 4), 90 + 180 * (i // 4)) for i in range(8)]
            frames += [[Figure(p, mood, x, y, 170) for p, (x, y) in zip(order, places, strict=True)]] * 8 + [[]] * 4
        yield Shot(60 + 40 * number, frames)


def lights(choose: random.Random) -> Iterator[Shot]:
    """Four people in turn, in daylight, in dim light, in light from the side and in warm light."""
    for number in range(48):
        light = (as_it_is, dim, lit_from_the_side, warm)[choose.randrange(4)]
        x, mood = choose.uniform(200, 440), choose.randrange(2)
        yield Shot(choose.randrange(30, 220), [[Figure(number % 4, mood, x, 180, 260, light)]] * 8)


def steady(choose: random.Random, frames: int) -> Iterator[Shot]:
    """One person in view all the time."""
    yield Shot(90, [[Figure(0, 0, 320 + 60 * np.sin(i / 40), 180, 260)] for i in range(frames)])


RECORDINGS = {
    "montage": Recording(5, 12, montage),
    "absences": Recording(2, 1, absences),
    "crossing": Recording(15, 2, crossing),
    "crowd": Recording(2, 8, crowd),
    "lights": Recording(5, 4, lights),
}


def main() -> None:
    """Draw, analyse and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default=",".join(RECORDINGS), help="names of recordings, separated by commas")
    arguments = parser.parse_args()
    people = list(pictures(arguments.folder, odd=False).values())
    names = arguments.only.split(",")
    print(f"{'':10} {'':8} {'found/true':>11} {'B-cubed F1':>11} {'IDF1':>6} {'joined':>7}")
    with TemporaryDirectory() as folder:
        for place, name in enumerate(RECORDINGS):
            if name in names:
                path = Path(folder) / f"{name}.mp4"
                cast = people[4 * place :]  # others for each, as far as there are
                truth = draw(RECORDINGS[name], cast, random.Random(place), path)
                analyze_file(load(), path, path.with_suffix(".csv"), None)
                rows = held_to(truth, pd.read_csv(path.with_suffix(".csv")))
                for kind in ("face_id", "track_id"):
                    _print(name, kind, rows, RECORDINGS[name].people, len(truth))
        _print_cost(people[0], Path(folder) / "cost.mp4")
    _print_grouping()


def draw(recording: Recording, cast: list[list[Image]], choose: random.Random, path: Path) -> pd.DataFrame:
    """Write a recording; returns who is where: frame, person, x, y and width of the face in pixels."""
    detector = Detector()
    boxes = [[detector.search(image).boxes_xywh[0] for image in images] for images in cast[: recording.people]]
    truth: list[tuple[float, ...]] = []

    def images() -> Iterator[Image]:
        noise = np.random.default_rng(1)
        frames = ((shot.background, figures) for shot in recording.shots(choose) for figures in shot.frames)
        for number, (background, figures) in enumerate(frames):
            canvas = np.full((HEIGHT, WIDTH, 3), background, np.float32)
            for figure in figures:
                left, top, scale = _paste(canvas, figure.light(cast[figure.person][figure.mood]), figure)
                x, y, w, h = boxes[figure.person][figure.mood] * scale
                truth.append((number, figure.person, left + x + w / 2, top + y + h / 2, w))
            canvas += noise.standard_normal(canvas.shape, np.float32) * 3
            yield np.clip(canvas, 0, 255).astype(np.uint8)

    _encode(images(), recording.rate, path)
    return pd.DataFrame(truth, columns=["frame", "person", "x", "y", "w"])


def _paste(canvas: NDArray[np.float32], image: Image, figure: Figure) -> tuple[int, int, float]:
    scale = figure.height / image.shape[0]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    left, top = round(figure.x - width / 2), round(figure.y - height / 2)
    x, y = max(left, 0), max(top, 0)
    part = small[y - top : HEIGHT - top, x - left : WIDTH - left]
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return left, top, scale


def _encode(images: Iterator[Image], rate: int, path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate), options={"crf": "26", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in images:
            container.mux(stream.encode(VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))


def held_to(truth: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The faces that were found, each with the person who is nearest; -1 for nobody."""
    rows = rows[rows["face_id"].notna()].copy()
    columns = ["frame", "person", "x", "y", "w"]
    there = {frame: figures.to_numpy() for frame, figures in truth[columns].groupby("frame")}
    boxes = rows[["frame", "box_x", "box_y", "box_w", "box_h"]].to_numpy()
    rows["person"] = [_nearest(there.get(int(frame)), x + w / 2, y + h / 2) for frame, x, y, w, h in boxes]
    return rows


def _nearest(figures: NDArray[np.float64] | None, x: float, y: float) -> int:
    """Whose face is at a place of a frame; float64 (n, 5), frame, person, x, y and width of each."""
    if figures is None:
        return -1
    distances = np.hypot(figures[:, 2] - x, figures[:, 3] - y) / figures[:, 4]
    nearest = int(distances.argmin())
    return int(figures[nearest, 1]) if distances[nearest] < NEAR else -1


def b_cubed(rows: pd.DataFrame, kind: str) -> float:
    """B-cubed F1 of the groups that `kind` makes."""
    both = rows.groupby([kind, "person"]).size()
    shared = both.to_numpy(np.float64)
    of_group = both.groupby(level=0).transform("sum").to_numpy(np.float64)
    of_person = both.groupby(level=1).transform("sum").to_numpy(np.float64)
    precision, recall = ((shared * shared / of).sum() / shared.sum() for of in (of_group, of_person))
    return float(2 * precision * recall / (precision + recall))


def idf1(rows: pd.DataFrame, kind: str, true_faces: int) -> float:
    """IDF1, of the best pairing of numbers with people."""
    from scipy.optimize import linear_sum_assignment

    table = rows[rows["person"] >= 0].groupby([kind, "person"]).size().unstack(fill_value=0).to_numpy()
    ids, people = linear_sum_assignment(-table)
    return float(2 * table[ids, people].sum() / (true_faces + len(rows)))


def joined(rows: pd.DataFrame, kind: str) -> int:
    """Pairs of different people that have one number in common."""
    groups = rows[rows["person"] >= 0].groupby(kind)["person"].unique()
    return len({pair for people in groups for pair in combinations(sorted(people), 2)})


def _print(name: str, kind: str, rows: pd.DataFrame, people: int, true_faces: int) -> None:
    found = f"{rows[kind].nunique()}/{people}"
    label = "persons" if kind == "face_id" else "tracks"
    print(
        f"{name:10} {label:8} {found:>11} {b_cubed(rows, kind):11.3f} {idf1(rows, kind, true_faces):6.3f} "
        f"{joined(rows, kind):7}",
        flush=True,
    )


class TimedEmbedder(Embedder):
    """Counts the processor time that it takes, of the threads that call it."""

    def __init__(self) -> None:
        super().__init__()
        self.taken_s = 0.0

    def align(self, small_bgr: Image, luma: Image, landmarks: NDArray[np.float32]) -> Image:
        """As Embedder.align()."""
        start_s = time.thread_time()
        aligned = super().align(small_bgr, luma, landmarks)
        self.taken_s += time.thread_time() - start_s
        return aligned

    def embed(self, aligned_bgr: Image) -> Embedding:
        """As Embedder.embed()."""
        start_s = time.thread_time()
        embedding = super().embed(aligned_bgr)
        self.taken_s += time.thread_time() - start_s
        return embedding


def _print_cost(images: list[Image], path: Path) -> None:
    """What embeddings take of an analysis: one face, every frame of 20 s."""
    settings = load()
    stages, embedder = load_stages(settings.model_dir), TimedEmbedder()
    for rate in (30, 5):
        draw(Recording(rate, 1, partial(steady, frames=20 * rate)), [images], random.Random(0), path)
        embedder.taken_s = 0.0
        start_s = time.process_time()
        for segment in plan(path, settings.segment_s).segments:
            for _rows in analyze(path, segment, stages, album=Album(embedder)):
                pass
        whole_s = time.process_time() - start_s
        print(f"cost at {rate} frames/s: {embedder.taken_s:.2f} of {whole_s:.2f} s, {embedder.taken_s / whole_s:.1%}")


def _print_grouping() -> None:
    """What finishing takes for a thousand tracks of forty people."""
    noise = np.random.default_rng(0)
    looks = np.repeat(noise.normal(size=(40, 128)), 25, axis=0) + 0.4 * noise.normal(size=(1000, 128))
    vectors = {place: (look / np.linalg.norm(look)).astype(np.float32) for place, look in enumerate(looks)}
    start_s = time.process_time()
    found = persons.group({place: place + 1 for place in vectors}, vectors, [])
    print(f"grouping 1000 tracks: {len(set(found.values()))} persons in {time.process_time() - start_s:.2f} s")


if __name__ == "__main__":
    main()
