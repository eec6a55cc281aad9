"""Where the eyes lie in FER2013's images: the geometry to which a video's faces are aligned.

    python -m training.measure_alignment --data fer2013.zip [--limit 3000]

YuNet is run on training images enlarged 6 times and the median of its landmarks is printed as JSON. The factor matters:
at 3 and 4 times the detector sets the eyes too far apart (19.7 and 18.0 pixels of 48, visibly beside the pupils). From
6 times on they lie on the pupils and the medians move no more (17.4 at 6 and at 8, within 0.2 pixel for every way of
padding).
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.detection import Detector, Faces
from emotion_timeline.faces.preprocessing import Preprocessing
from training.data.datasets import load

SIZE = 48
ENLARGEMENT = 6
LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure where the eyes lie in FER2013's training images.")
    parser.add_argument(
        "--data", type=Path, required=True, help="fer2013.csv, the msambare/fer2013 folder, or a zip of either"
    )
    parser.add_argument("--limit", type=int, default=3000, help="how many training images to look at (default 3000)")
    arguments = parser.parse_args()
    landmarks, images = measure(arguments.data, arguments.limit)
    print(json.dumps(summarize(landmarks, images), indent=2))


def measure(data: Path, limit: int) -> tuple[NDArray[np.float32], int]:
    """Finds the landmarks of up to `limit` training images, chosen at random with a fixed seed.

    Returns:
        float32 (n, 5, 2): x, y in the image's own 48x48 pixels, for the n images in which a face was found; and the
        number of images looked at.
    """
    detector = Detector()
    training = load(data, "Training", Preprocessing())
    chosen = np.random.default_rng(2013).permutation(len(training))[:limit]
    found = []
    for image in training.images[chosen]:
        enlarged = cv2.resize(image, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
        faces = detector.detect(np.asarray(cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR), np.uint8))
        if len(faces):
            found.append(faces.landmarks[_largest(faces)] / ENLARGEMENT)
    return np.array(found, dtype=np.float32).reshape(-1, 5, 2), len(chosen)


def summarize(landmarks: NDArray[np.float32], images: int) -> dict[str, object]:
    """Medians and quartile distances as fractions of the image size, and the symmetric eye positions made of them."""
    positions = landmarks / SIZE
    median = np.median(positions, axis=0)
    spread = np.subtract(*np.percentile(positions, [75, 25], axis=0))
    half_distance = (median[1, 0] - median[0, 0]) / 2
    height = median[:2, 1].mean()
    return {
        "images": images,
        "faces_found": len(landmarks),
        "enlargement": ENLARGEMENT,
        "right_eye_xy": [round(float(0.5 - half_distance), 3), round(float(height), 3)],
        "left_eye_xy": [round(float(0.5 + half_distance), 3), round(float(height), 3)],
        "median_xy": {name: [round(float(v), 4) for v in median[i]] for i, name in enumerate(LANDMARKS)},
        "quartile_distance_xy": {name: [round(float(v), 4) for v in spread[i]] for i, name in enumerate(LANDMARKS)},
    }


def _largest(faces: Faces) -> int:
    return int(np.argmax(faces.boxes_xywh[:, 2] * faces.boxes_xywh[:, 3]))


if __name__ == "__main__":
    main()
