"""Metrics, calibration and counted operations, against numbers known beforehand."""

import keras
import numpy as np
import pytest

from emotion_timeline.emotions import EMOTIONS
from training import networks
from training.calibration import build_in, fit_frequencies, fit_offsets, fit_temperature, scaled
from training.flops import flops
from training.metrics import bootstrap_intervals, cross_entropy, expected_calibration_error, metrics


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
    build_in(model, 0.3)
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


def test_mean_probabilities_become_the_shares_of_the_labels() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(6).repeat([400, 20, 100, 300, 200, 150])  # and no surprise
    shift = np.array([0.3, -1.5, 0.5, 0, 0, 0.2, 0.5])
    logits = rng.normal(size=(len(labels), 7)) + 2 * np.eye(7)[labels] + shift
    probabilities = np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), np.float32)
    offsets = fit_frequencies(probabilities, labels)
    after = scaled(probabilities * np.exp(offsets), 1.0)
    shares = (np.bincount(labels, minlength=7) + 1) / (len(labels) + 7)
    np.testing.assert_allclose(after.mean(axis=0), shares, atol=1e-4)
    assert abs(offsets.mean()) < 1e-9
    assert cross_entropy(after, labels) < cross_entropy(probabilities, labels)
    rng.shuffle(labels)  # labels that tell nothing: what is left is how frequent each is
    same = np.full_like(probabilities, 1 / 7)
    np.testing.assert_allclose(scaled(same * np.exp(fit_frequencies(same, labels)), 1.0)[0], shares, rtol=1e-5)


def test_built_in_offsets_shift_what_the_network_says() -> None:
    model = networks.build("paper")
    faces = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1)).astype(np.float32)
    before = np.asarray(model.predict_on_batch(faces))
    build_in(model, 2.0, np.eye(7)[1])
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
