"""Random changes to training images, in NumPy and OpenCV so that they are the same on every Keras backend."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

Image = NDArray[np.uint8]

_AMOUNTS = 9  # random numbers for each image, whatever is changed: the order of what else is drawn depends on them
_ERASED_AREA = (0.02, 0.2)  # of the image
_ERASED_ASPECT = 3.0  # of the longer side to the shorter one, at most


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much images are changed; 0 leaves a property as it is.

    Attributes:
        mirror: probability that an image is mirrored left to right.
        rotation: largest turn to either side, degrees.
        shift: largest shift in either direction, as a fraction of the side.
        zoom: largest change of scale, as a fraction; larger and smaller are equally likely.
        gamma: largest change of the brightness curve, as the natural logarithm of its exponent.
        blur: largest standard deviation of a Gaussian blur, pixels; as from a lens out of focus or a small face.
        noise: largest standard deviation of the noise added to each pixel, grey levels.
        jpeg: probability that an image is compressed, with a quality of 15 to 75, as video compression would.
        erase: probability that a rectangle of 2 to 20 % of the image becomes noise, as a hand or hair hides part of a
            face (Z. Zhong et al., "Random Erasing Data Augmentation", AAAI 2020).
    """

    mirror: float = 0.0
    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    erase: float = 0.0

    def __call__(self, images: Image, rng: np.random.Generator) -> Image:
        """Changes each image at random.

        Args:
            images: uint8 (n, height, width, 1), 0-255; left as they are.
            rng: the source of the choices; the same state gives the same images.

        Returns:
            uint8 (n, height, width, 1), new. What moves in from outside repeats the edge.
        """
        amounts = rng.uniform(-1, 1, (len(images), _AMOUNTS))
        changed = [self._change(image[..., 0], amount, rng) for image, amount in zip(images, amounts, strict=True)]
        return np.stack(changed)[..., None] if changed else images.copy()

    def _change(self, image: Image, amount: NDArray[np.float64], rng: np.random.Generator) -> Image:
        turn, right, down, scale, gamma, blur, noise, jpeg, mirror = amount.tolist()
        image = self._move(image, turn, right, down, scale, mirrored=abs(mirror) < self.mirror)
        if self.gamma:
            curve = 255 * (np.arange(256) / 255) ** np.exp(self.gamma * gamma)
            image = curve.round().astype(np.uint8)[image]
        sigma = self.blur * max(blur, 0.0)  # half of the images stay as sharp as they are
        if sigma > 0.2:  # below, the kernel's centre has all the weight
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
        if self.noise:
            added = rng.standard_normal(image.shape, np.float32) * (self.noise * abs(noise))
            image = np.clip(np.rint(image + added), 0, 255).astype(np.uint8)
        if abs(jpeg) < self.jpeg:
            quality = round(15 + 60 * abs(jpeg) / self.jpeg)
            encoded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
            image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
        if self.erase and rng.random() < self.erase:
            image = _erased(image, rng)
        return image

    def _move(self, image: Image, turn: float, right: float, down: float, scale: float, mirrored: bool) -> Image:
        if not (self.rotation or self.shift or self.zoom):
            return image[:, ::-1] if mirrored else image
        height, width = image.shape
        centre = ((width - 1) / 2, (height - 1) / 2)
        matrix = cv2.getRotationMatrix2D(centre, self.rotation * turn, (1 + self.zoom) ** scale)
        if mirrored:
            matrix = matrix @ np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]])
        matrix[:, 2] += (self.shift * right * width, self.shift * down * height)
        moved = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)


def _erased(image: Image, rng: np.random.Generator) -> Image:
    height, width = image.shape
    side = np.sqrt(rng.uniform(*_ERASED_AREA) * height * width)
    stretch = np.sqrt(_ERASED_ASPECT) ** rng.uniform(-1, 1)
    rows, columns = round(side * stretch), round(side / stretch)
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    erased = image.copy()
    erased[top : top + rows, left : left + columns] = rng.integers(0, 256, (rows, columns))
    return erased


_MILD = Augmentation(mirror=0.5, rotation=10, shift=0.08, zoom=0.15, gamma=0.2, blur=0.5, noise=3, jpeg=0.1)

AUGMENTATIONS = {
    "none": Augmentation(),
    # The paper names rotation, flip and shift, but not by how much.
    "paper": Augmentation(mirror=0.5, rotation=10, shift=0.1),
    # And what faces cut out of videos bring: detectors that place them a little off, and compressed, dark, blurred,
    # noisy pictures; at half of that strength, and at all of it.
    "mild": _MILD,
    "video": Augmentation(mirror=0.5, rotation=12, shift=0.08, zoom=0.15, gamma=0.4, blur=1.0, noise=6, jpeg=0.25),
    # For long runs, in which a network comes to know its training images by heart.
    "erasing": replace(_MILD, erase=0.5),
}


def augmentation(name: str) -> Augmentation:
    """The augmentation of that name.

    Raises:
        TrainingError: there is none.
    """
    if name not in AUGMENTATIONS:
        raise TrainingError(f"There is no augmentation {name!r}; choose one of: {', '.join(AUGMENTATIONS)}.")
    return AUGMENTATIONS[name]


def cropped(images: Image, side: int, rng: np.random.Generator) -> Image:
    """A square part of each image, at a random place: uint8 (n, side, side, 1)."""
    height, width = images.shape[1:3]
    if side >= min(height, width):
        return images
    tops = rng.integers(0, height - side + 1, len(images))
    lefts = rng.integers(0, width - side + 1, len(images))
    places = zip(images, tops, lefts, strict=True)
    return np.stack([image[top : top + side, left : left + side] for image, top, left in places])


def mix(
    images: NDArray[np.float32], labels: NDArray[np.float32], parameter: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Blends each image of a batch, and its label, with another one of the batch (mixup).

    Args:
        images: float32 (n, height, width, 1).
        labels: float32 (n, labels).
        parameter: of the symmetric beta distribution of the shares; above 0, the smaller the less is blended.
        rng: the source of the choices.

    Returns:
        Images and labels, new.
    """
    share = rng.beta(parameter, parameter, len(images)).astype(np.float32)
    other = rng.permutation(len(images))
    of_images, of_labels = share[:, None, None, None], share[:, None]
    return (
        of_images * images + (1 - of_images) * images[other],
        of_labels * labels + (1 - of_labels) * labels[other],
    )
