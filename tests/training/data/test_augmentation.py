"""Augmentation changes pictures as its settings say, and nothing else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.augmentation import AUGMENTATIONS, Augmentation, augmentation, mix


@pytest.fixture
def faces() -> NDArray[np.uint8]:
    """Smooth pictures, each different, asymmetric."""
    y, x = np.mgrid[:48, :48]
    waves = [128 + 60 * np.sin(x / (4 + n)) + 60 * np.cos(y / 9 + x / (9 + n)) for n in range(200)]
    return np.stack(waves).clip(0, 255).astype(np.uint8)[..., None]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_same_seed_gives_the_same_pictures_and_leaves_the_originals(name: str, faces: NDArray[np.uint8]) -> None:
    original = faces.copy()
    first, second = (augmentation(name)(faces, rng()) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(faces, original)
    assert first.shape == faces.shape and first.dtype == np.uint8
    assert (name == "none") == bool((first == faces).all())


@pytest.mark.parametrize("options", [{}, {"rotation": 1e-9}])
def test_half_of_the_pictures_are_mirrored(options: dict[str, float], faces: NDArray[np.uint8]) -> None:
    changed = Augmentation(mirror=0.5, **options)(faces, rng())
    mirrored = (changed == faces[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (changed == faces).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 70 < mirrored.sum() < 130


def test_shift_moves_a_point_within_its_limit_in_every_direction() -> None:
    points = np.zeros((300, 48, 48, 1), np.uint8)
    points[:, 20, 30] = 255
    changed = Augmentation(shift=0.1)(points, rng())[..., 0].astype(float)
    rows = (changed.sum(axis=2) * np.arange(48)).sum(axis=1) / changed.sum(axis=(1, 2)) - 20
    columns = (changed.sum(axis=1) * np.arange(48)).sum(axis=1) / changed.sum(axis=(1, 2)) - 30
    for moved in (rows, columns):
        assert -4.9 < moved.min() < -4 and 4 < moved.max() < 4.9


def test_rotation_turns_about_the_centre_within_its_limit() -> None:
    points = np.zeros((300, 49, 49, 1), np.uint8)
    points[:, 24, 44] = 255
    changed = Augmentation(rotation=10)(points, rng())[..., 0].astype(float)
    rows = (changed.sum(axis=2) * np.arange(49)).sum(axis=1) / changed.sum(axis=(1, 2)) - 24
    limit = 20 * np.sin(np.radians(10))
    assert -limit - 0.2 < rows.min() < 0.8 * -limit and 0.8 * limit < rows.max() < limit + 0.2


def test_what_moves_in_from_outside_repeats_the_edge() -> None:
    bright = np.full((50, 48, 48, 1), 200, np.uint8)
    np.testing.assert_array_equal(Augmentation(rotation=30, shift=0.3, zoom=0.3)(bright, rng()), bright)


def test_gamma_changes_brightness_both_ways_and_keeps_black_and_white() -> None:
    ramp = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (200, 48, 1))[..., None]
    changed = Augmentation(gamma=0.4)(ramp, rng()).astype(int)
    difference = (changed - ramp).mean(axis=(1, 2, 3))
    assert difference.min() < -10 and difference.max() > 10
    assert (changed[:, :, 0] == 0).all() and (changed[:, :, -1] == 255).all()


def test_blur_takes_detail_from_half_of_the_pictures() -> None:
    noise = rng().integers(0, 256, (200, 48, 48, 1)).astype(np.uint8)
    changed = Augmentation(blur=1.0)(noise, rng())
    deviation = changed.std(axis=(1, 2, 3)) / noise.std(axis=(1, 2, 3))
    assert 70 < (deviation == 1).sum() < 140
    assert deviation.min() < 0.5


def test_noise_has_the_deviation_that_it_says() -> None:
    grey = np.full((200, 48, 48, 1), 128, np.uint8)
    deviations = Augmentation(noise=6)(grey, rng()).std(axis=(1, 2, 3))
    assert deviations.min() < 1 and 5.5 < deviations.max() < 6.5


def test_compression_leaves_traces_in_some_pictures(faces: NDArray[np.uint8]) -> None:
    changed = Augmentation(jpeg=0.25)(faces, rng())
    touched = (changed != faces).any(axis=(1, 2, 3))
    assert 30 < touched.sum() < 75
    assert np.abs(changed.astype(int) - faces).mean() < 3


def test_no_pictures_are_no_trouble() -> None:
    assert augmentation("video")(np.zeros((0, 48, 48, 1), np.uint8), rng()).shape == (0, 48, 48, 1)


def test_mixup_blends_images_and_labels_in_the_same_shares() -> None:
    levels = np.arange(100, dtype=np.float32)
    images, labels = np.tile(levels[:, None, None, None], (1, 4, 4, 1)), np.eye(100, dtype=np.float32)
    mixed_images, mixed_labels = mix(images, labels, 0.2, rng())
    np.testing.assert_allclose(mixed_labels @ levels, mixed_images[:, 0, 0, 0], atol=1e-4)
    np.testing.assert_allclose(mixed_labels.sum(axis=1), 1, atol=1e-6)
    assert 10 < (mixed_labels.max(axis=1) < 0.9).sum() < 60


def test_erasing_makes_noise_of_one_rectangle_within_its_limits() -> None:
    faces = np.full((200, 48, 48, 1), 100, np.uint8)
    changed = Augmentation(erase=0.5)(faces, np.random.default_rng(0))[..., 0] != 100
    erased = changed.any(axis=(1, 2))
    assert 70 < erased.sum() < 130
    for mask in changed[erased]:
        rows, columns = np.ptp(np.flatnonzero(mask.any(axis=1))) + 1, np.ptp(np.flatnonzero(mask.any(axis=0))) + 1
        assert 0.015 * mask.size < rows * columns < 0.22 * mask.size
        assert max(rows, columns) / min(rows, columns) < 3.5
        assert mask.sum() > 0.95 * rows * columns
