"""Metrics, calibration and counted operations, against numbers known beforehand."""

from typing import Any

import keras
import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from training import networks
from training.figures.calibration import (
    FOLDS,
    Calibration,
    build_in,
    cross_fitted,
    fit_labels,
    fit_offsets,
    fit_shares,
    fit_temperature,
    folds,
    scaled,
    take_out,
)
from training.figures.flops import flops
from training.figures.metrics import bootstrap_intervals, cross_entropy, expected_calibration_error, metrics
from training.parts.heads import FERPLUS_HEAD


def known() -> tuple[np.ndarray, np.ndarray]:
    labels = np.array([0, 0, 3, 3], np.int64)
    probabilities = np.full((4, 7), 0.05, np.float32)
    probabilities[[0, 1, 2, 3], [0, 3, 3, 3]] = 0.7
    return probabilities, labels


def test_metrics_of_known_predictions() -> None:
    figures = metrics(*known())
    assert figures["accuracy"] == 0.75
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert (figures["recall"]["angry"], figures["recall"]["happy"], figures["recall"]["sad"]) == (0.5, 1.0, None)
    assert (figures["precision"]["angry"], figures["precision"]["happy"]) == (1.0, pytest.approx(2 / 3))
    assert (figures["f1"]["angry"], figures["f1"]["fear"]) == (pytest.approx(2 / 3), None)
    assert figures["confusion_matrix"][0] == [1, 0, 0, 1, 0, 0, 0]
    assert figures["ece"] == pytest.approx(0.05, abs=1e-6)
    assert figures["cross_entropy"] == pytest.approx(-(3 * np.log(0.7) + np.log(0.05)) / 4, abs=1e-6)
    assert figures["images"] == 4
    assert list(figures["recall"]) == list(EMOTIONS)


def test_interval_of_accuracy_is_that_of_a_binomial_distribution() -> None:
    confusion = np.diag([300, 0, 0, 300, 0, 0, 0])
    confusion[0, 3] = 400
    (low, high), (low_f1, high_f1) = bootstrap_intervals(confusion)
    margin = 1.96 * np.sqrt(0.6 * 0.4 / 1000)
    assert (low, high) == pytest.approx((0.6 - margin, 0.6 + margin), abs=0.003)
    figures = metrics(np.eye(7, dtype=np.float32)[[0] * 300 + [3] * 700], np.array([0] * 700 + [3] * 300))
    assert low_f1 < figures["macro_f1"] < high_f1
    assert figures["accuracy_interval"] == [low, high]


def overconfident() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose logits are twice as large as they should be, with labels drawn from what they should be."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (20_000, 7))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) > rng.random((len(true), 1))).argmax(axis=1)
    return scaled(true.astype(np.float32), 0.5), labels.astype(np.int64)


def test_temperature_that_was_put_in_is_found_and_makes_confidence_mean_frequency() -> None:
    probabilities, labels = overconfident()
    temperature = fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(2, abs=0.08)
    calibrated = scaled(probabilities, temperature)
    assert expected_calibration_error(probabilities, labels) > 0.1
    assert expected_calibration_error(calibrated, labels) < 0.02
    assert cross_entropy(calibrated, labels) < cross_entropy(probabilities, labels)
    np.testing.assert_array_equal(calibrated.argmax(axis=1), probabilities.argmax(axis=1))


def test_built_in_temperature_scales_what_the_network_says() -> None:
    model = networks.build("paper")
    faces = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1)).astype(np.float32)
    before = np.asarray(model.predict_on_batch(faces))
    build_in(model, Calibration(0.3))
    np.testing.assert_allclose(model.predict_on_batch(faces), scaled(before, 0.3), atol=1e-5)


def test_offsets_let_each_emotion_be_found_at_least_so_often() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(6).repeat([400, 20, 100, 300, 200, 150])  # and no surprise
    logits = rng.normal(size=(len(labels), 7)) + 1.2 * np.eye(7)[labels] + np.array([0, -1.5, -0.5, 0.5, 0, 0, 0])
    probabilities = np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), np.float32)
    offsets = fit_offsets(probabilities, labels, 0.3)
    before, after = (metrics(p, labels) for p in (probabilities, scaled(probabilities * np.exp(offsets), 1.0)))
    assert before["recall"]["disgust"] < 0.3 <= min(value for value in after["recall"].values() if value is not None)
    assert offsets.argmax() == 1 and offsets.min() == 0
    np.testing.assert_array_equal(fit_offsets(probabilities, labels, 0.0), np.zeros(7))


def test_offsets_that_come_nearest_are_kept_where_none_are_enough() -> None:
    labels = np.array([0, 0, 1, 1, 1, 1])
    logits = np.full((6, 7), -20.0, np.float32)
    logits[:, 0], logits[:, 1] = [0.1, 2.0, 0.3, 5.0, 5.0, 5.0], 0.0  # no offset finds half of both
    probabilities = np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), np.float32)
    offsets = fit_offsets(probabilities, labels, 0.5)
    assert offsets[1] == pytest.approx(0.31, abs=0.02)  # by which one of four is found, and of the others one of two
    np.testing.assert_array_equal(np.delete(offsets, 1), np.zeros(6))


def voted() -> tuple[np.ndarray, Any, Calibration]:
    """Probabilities, the shares of votes that they should be, and the calibration that brings them there."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(7, 0.5), 3000).astype(np.float32).clip(1e-4)
    shares /= shares.sum(axis=1, keepdims=True)
    calibration = Calibration(1.5, (0.3, -0.9, 0.5, 0.0, 0.0, 0.1, 0.0))
    return calibration.undone(shares), shares, calibration


def test_shares_of_votes_are_met_and_images_without_have_no_say() -> None:
    probabilities, shares, calibration = voted()
    shares[:500] = np.nan
    found = fit_shares(probabilities, shares)
    assert found.temperature == pytest.approx(calibration.temperature, rel=0.01)
    np.testing.assert_allclose(found.offsets, calibration.offsets, atol=0.02)
    np.testing.assert_allclose(found.applied(probabilities)[500:], shares[500:], atol=0.01)


def test_fit_to_shares_ends_at_the_same_wherever_it_begins() -> None:
    probabilities, shares, _ = voted()
    noisy = scaled(shares, 2.0)[np.random.default_rng(1).permutation(3000)] / 2 + shares / 2
    begun_elsewhere = Calibration(0.6, (0.5, 0, -0.5, 0, 0.2, 0, -0.2)).undone(probabilities)
    one, other = (fit_shares(begin, noisy).applied(begin) for begin in (probabilities, begun_elsewhere))
    np.testing.assert_allclose(one, other, atol=2e-3)
    np.testing.assert_allclose(one.mean(axis=0), noisy.mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("wrong", [False, True])
def test_fit_to_shares_stays_finite_where_answers_are_all_right_or_all_wrong(wrong: bool) -> None:
    probabilities = scaled(np.eye(7, dtype=np.float32).repeat(3, axis=0) + 0.01, 1.0)
    shares: Any = np.roll(np.eye(7, dtype=np.float32), wrong, axis=1).repeat(3, axis=0)
    found = fit_shares(probabilities, shares)
    assert 0.25 <= found.temperature <= 8 and np.isfinite(found.offsets).all()


def test_calibration_is_taken_out_of_answers_and_of_a_network_again() -> None:
    calibration = Calibration(1.7, (0.1, 0.9, -0.4, 0.0, -0.2, -0.3, 0.0))
    probabilities, _ = known()
    np.testing.assert_allclose(calibration.undone(calibration.applied(probabilities)), probabilities, atol=1e-6)
    model = networks.build("residual", ferplus=True)
    before = model.get_layer(FERPLUS_HEAD).get_weights()
    build_in(model, calibration, FERPLUS_HEAD)
    take_out(model, calibration, FERPLUS_HEAD)
    for weight, expected in zip(model.get_layer(FERPLUS_HEAD).get_weights(), before, strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)


def test_images_with_the_same_pixels_lie_in_one_fold() -> None:
    different = np.random.default_rng(0).integers(0, 256, (200, 4, 4, 1), dtype=np.uint8)
    images = np.concatenate([different, different[:50]])
    found = folds(images)
    np.testing.assert_array_equal(found[:50], found[200:])
    assert np.bincount(found[:200]).tolist() == [200 // FOLDS] * FOLDS
    np.testing.assert_array_equal(folds(images), found)


def test_no_image_is_calibrated_by_what_it_says_itself() -> None:
    probabilities, labels = overconfident()
    probabilities, labels, fold = probabilities[:500], labels[:500], np.arange(500) % FOLDS

    def fit(some: np.ndarray, found: np.ndarray) -> Calibration:
        return fit_labels(some, found, 0.3)

    before = cross_fitted(probabilities, labels, fit, fold)
    labels[fold == 0] = (labels[fold == 0] + 1) % 7  # what fold 0 says changes all others' answers, not its own
    after = cross_fitted(probabilities, labels, fit, fold)
    np.testing.assert_array_equal(after[fold == 0], before[fold == 0])
    assert (after[fold != 0] != before[fold != 0]).any()


def test_built_in_offsets_shift_what_the_network_says() -> None:
    model = networks.build("paper")
    faces = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1)).astype(np.float32)
    before = np.asarray(model.predict_on_batch(faces))
    build_in(model, Calibration(2.0, tuple(np.eye(7)[1])))
    odds, expected = (p[:, 1] / p[:, 0] for p in (np.asarray(model.predict_on_batch(faces)), before))
    np.testing.assert_allclose(odds, np.sqrt(expected * np.e), rtol=1e-4)


def test_operations_of_the_papers_network() -> None:
    convolutions = 46**2 * 9 * 128 + 21**2 * 9 * 128 * 256 + 8**2 * 9 * 256 * 512 + 2**2 * 9 * 512 * 512
    dense = 512 * 512 + 512 * 256 + 256 * 7
    assert flops(networks.build("paper")) == 2 * (convolutions + dense)


def test_operations_of_a_depthwise_convolution() -> None:
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(images))
    assert flops(model) == 2 * 4 * 4 * 9 * 3
