"""How alike two pictures of one person are, and of two people: what the threshold of persons is chosen by.

    python -m benchmarks.person_threshold ../shared/data/faces_london

The folder holds pictures of people, `neutral/NNN.jpg` and `smiling/NNN.jpg`, such as those of the Face Research Lab
London Set (CC BY 4.0, doi 10.6084/m9.figshare.5047666). People with odd numbers are calibrated on; benchmarks.persons
measures on the others. Each picture is taken in several sizes and lights, and blurred.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.detection import Detector
from emotion_timeline.faces.embedding import DIMENSIONS, Embedder
from emotion_timeline.faces.persons import ALIKE
from emotion_timeline.faces.portraits import portray

Image = NDArray[np.uint8]
Change = Callable[[Image], Image]
MOODS = ("neutral", "smiling")
FACES_PX = 80  # width of a face, where nothing else is said


def pictures(folder: Path, odd: bool) -> dict[int, list[Image]]:
    """The pictures of the people with odd or with even numbers, by number; uint8 (h, w, 3) each."""
    found: dict[int, list[Image]] = {}
    for mood in MOODS:
        for path in sorted((folder / mood).glob("*.jpg")):
            if int(path.stem) % 2 == odd:
                found.setdefault(int(path.stem), []).append(np.asarray(cv2.imread(str(path)), np.uint8))
    if not found:
        raise SystemExit(f"{folder} should hold neutral/NNN.jpg and smiling/NNN.jpg, but there are none.")
    return found


def blurred(sigma_px: float) -> Change:
    """Out of focus by so many pixels."""
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def dim(image: Image) -> Image:
    """In poor light: dark, and darker in the shadows."""
    return np.asarray((image / 255.0) ** 2.2 * 0.7 * 255, np.uint8)


def lit_from_the_side(image: Image) -> Image:
    """In light from the right: a quarter of it on the left."""
    return np.asarray(np.clip(image * np.linspace(0.25, 1.3, image.shape[1])[None, :, None], 0, 255), np.uint8)


CONDITIONS: dict[str, tuple[float, Change]] = {
    "160 px": (160, lambda image: image),
    "80 px": (80, lambda image: image),
    "40 px": (40, lambda image: image),
    "dim": (FACES_PX, dim),
    "side light": (FACES_PX, lit_from_the_side),
    "blurred, 2 px": (FACES_PX, blurred(2)),
    "blurred, 3.5 px": (FACES_PX, blurred(3.5)),
}


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    people = pictures(parser.parse_args().folder, odd=True)
    detector, embedder = Detector(), Embedder()
    numbers = np.array([number for number, images in people.items() for _ in images])
    images = [image for own in people.values() for image in own]
    looks = {
        name: np.array([look(detector, embedder, i, *change) for i in images]) for name, change in CONDITIONS.items()
    }
    print(f"{len(people)} people, {len(images)} pictures; threshold {ALIKE}; each against the same, and against 80 px")
    print(f"{'':16} {'usable':>7} {'same person: least':>19} {'median':>7} {'two people: 99.9 %':>19} {'most':>6}")
    for name, these in looks.items():
        for other, those in {name: these, "80 px": looks["80 px"]}.items():
            same, different = compared(numbers, these, those)
            usable = np.isfinite(these[:, 0]).mean()
            print(
                f"{name if other == name else '  to 80 px':16} {usable:7.0%} {same.min(initial=1):19.3f} "
                f"{np.median(same) if len(same) else np.nan:7.3f} {np.percentile(different, 99.9):19.3f} "
                f"{different.max():6.3f}"
            )


def look(detector: Detector, embedder: Embedder, image: Image, face_px: float, change: Change) -> NDArray[np.float32]:
    """The embedding of a picture whose face is so wide: float32 (128,), NaN where it can't be told apart."""
    width = detector.search(image).boxes_xywh[0, 2:].min()
    scale = face_px / float(width)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = change(np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation), np.uint8))
    faces = detector.search(small)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
    portraits = portray(embedder, small, grey, faces.landmarks, faces.confidences)
    best = max(portraits, key=lambda portrait: portrait.quality, default=None)
    if best is None or not best.quality:
        return np.full(DIMENSIONS, np.nan, np.float32)
    return embedder.embed(best.bgr)


def compared(
    numbers: NDArray[np.int64], these: NDArray[np.float32], those: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Similarities of pairs of pictures of the same person, and of two people."""
    similar = these @ those.T
    known = np.isfinite(similar) & ~np.eye(len(numbers), dtype=np.bool_)
    same = numbers[:, None] == numbers[None]
    return similar[known & same], similar[known & ~same]


if __name__ == "__main__":
    main()
