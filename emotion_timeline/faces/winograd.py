"""3x3 convolution + 2x2 max-pooling as one layer by Winograd's minimal filtering: same answer, fewer multiplications.

On CPUs without matrix units (AMX) the paper's network is bound by multiplications, and F(4x4, 3x3) needs 36 per 16
outputs where the definition needs 144. Pooling inside the layer drops the rows and columns that a 2x2 pooling ignores,
and shrinks what has to be moved. Only keras.ops, so the gradient comes from the backend and training uses it as well.

Source of the algorithm and its matrices: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks",
CVPR 2016. The rewrite leaves the original layers' variables in place: both models stay the same network.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from emotion_timeline.faces.hardware import has_accelerator, has_matrix_units

# Output size of a tile -> (A^T, G, B^T) of Lavin & Gray: y = A^T [(G g G^T) * (B^T d B)] A.
MATRICES = {
    2: (
        np.array([[1, 1, 1, 0], [0, 1, -1, -1]]),
        np.array([[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]]),
        np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]),
    ),
    4: (
        np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]),
        np.array(
            [
                [1 / 4, 0, 0],
                [-1 / 6, -1 / 6, -1 / 6],
                [-1 / 6, 1 / 6, -1 / 6],
                [1 / 24, 1 / 12, 1 / 6],
                [1 / 24, -1 / 12, 1 / 6],
                [0, 0, 1],
            ]
        ),
        np.array(
            [
                [4, 0, -5, 0, 1, 0],
                [0, -4, -4, 1, 1, 0],
                [0, 4, -4, -1, 1, 0],
                [0, -2, -1, 2, 1, 0],
                [0, 2, -1, -2, 1, 0],
                [0, 4, 0, -5, 0, 1],
            ]
        ),
    ),
}


class WinogradConvPool(layers.Layer):  # type: ignore[misc]  # keras has no type hints
    """The layers Conv2D(3x3, valid) and MaxPooling2D(2x2, valid) in one.

    Args:
        conv: the Conv2D layer to stand in for, built; its variables are used, not copied.
        frozen: transform the kernel once, now: for inference, where weights stay as they are.
    """

    def __init__(self, conv: Any, frozen: bool, **kwargs: Any) -> None:
        super().__init__(name=f"{conv.name}_winograd", dtype=conv.dtype_policy, **kwargs)
        self.conv = conv
        self.frozen = frozen

    def build(self, input_shape: tuple[int | None, int, int, int]) -> None:
        """Lays out the constant transforms for (n, side, side, channels) images."""
        side = input_shape[1]
        self.pooled = (side - 2) // 2
        m = 4 if self.pooled % 2 == 0 else 2
        a_t, g, b_t = MATRICES[m]
        self.m, self.alpha, self.tiles = m, m + 2, self.pooled * 2 // m
        # Every tile's B^T at its place, so that one product cuts the (overlapping) tiles out and transforms them. Rows
        # and columns that no tile needs are dropped by zeros here: the gradient of a slice costs more.
        cut = np.zeros((self.tiles, self.alpha, side))
        for tile in range(self.tiles):
            cut[tile, :, tile * m : tile * m + self.alpha] = b_t
        # Outputs in the order (row in pool, column in pool, pool row, pool column): pooling is a maximum over axis 0.
        out = np.kron(a_t, a_t).reshape(m // 2, 2, m // 2, 2, -1).transpose(1, 3, 0, 2, 4).reshape(m * m, -1)
        self.cut = cut.reshape(-1, cut.shape[-1]).astype("float32")
        self.out = np.ascontiguousarray(out, "float32")
        self.kernel_transform = np.kron(g, g).astype("float32")
        self.frozen_kernel = self._transformed_kernel() if self.frozen else None
        self.built = True

    def call(self, x: Any) -> Any:
        """float (n, side, side, c) -> float (n, (side - 2) // 2, (side - 2) // 2, filters)."""
        t, alpha, side = self.tiles, self.alpha, self.cut.shape[-1]
        channels, filters = self.conv.kernel.shape[-2:]
        cut = ops.cast(self.cut, x.dtype)
        x = ops.reshape(x, (-1, side, side * channels))
        x = ops.reshape(ops.matmul(cut, x), (-1, t * alpha, side, channels))
        x = ops.reshape(ops.matmul(cut, x), (-1, t, alpha, t, alpha, channels))
        x = ops.reshape(ops.transpose(x, (2, 4, 0, 1, 3, 5)), (alpha * alpha, -1, channels))  # (alpha², n·t·t, c)
        kernel = self.frozen_kernel if self.frozen else self._transformed_kernel()
        y = ops.matmul(x, ops.cast(kernel, x.dtype))  # (alpha², n·t·t, filters)
        y = ops.matmul(ops.cast(self.out, x.dtype), ops.reshape(y, (alpha * alpha, -1)))
        corners = ops.unstack(ops.reshape(y, (4, -1)), axis=0)
        y = ops.maximum(ops.maximum(corners[0], corners[1]), ops.maximum(corners[2], corners[3]))
        half = self.m // 2
        y = ops.transpose(ops.reshape(y, (half, half, -1, t, t, filters)), (2, 3, 0, 4, 1, 5))
        y = ops.reshape(y, (-1, self.pooled, self.pooled, filters))
        if self.conv.use_bias:
            y = y + ops.cast(self.conv.bias, y.dtype)
        return self.conv.activation(y)  # after pooling: the same, as ReLU is monotone

    def _transformed_kernel(self) -> Any:
        channels, filters = self.conv.kernel.shape[-2:]
        kernel = ops.reshape(self.conv.kernel, (9, channels * filters))
        return ops.reshape(ops.matmul(self.kernel_transform, kernel), (self.alpha * self.alpha, channels, filters))

    def compute_output_shape(self, input_shape: tuple[int | None, int, int, int]) -> tuple[int | None, int, int, int]:
        side = (input_shape[1] - 2) // 2
        return (input_shape[0], side, side, self.conv.filters)


def pays_off() -> bool:
    """Whether this machine is bound by multiplications: a CPU without matrix units, and no accelerator.

    Measured with the paper's network in float32 and TensorFlow on two cores of an AMD EPYC (Zen 1, AVX2), faces/s:
    223 instead of 144 in batches of 32, 202 instead of 135 in batches of 256, but 60 instead of 91 one by one. Training
    in bfloat16 on two cores of an AMD EPYC with AVX-512 (Zen 4): 406 instead of 208 images/s (benchmarks.steps).
    """
    return not (has_accelerator() or has_matrix_units())


def rewrite(model: Any, frozen: bool = False) -> Any:
    """The same network with every convolution that gains by it done by Winograd's algorithm.

    Convolutions over one channel keep their layer: there the transforms cost more than they save.

    Args:
        model: a built network over square images; one that is not a keras.Sequential is given back as it is.
        frozen: for inference; changing the weights afterwards has no effect on the convolutions rewritten.

    Returns:
        A network that uses the variables of model; probabilities agree within 1e-4.
    """
    if not isinstance(model, keras.Sequential):
        return model
    fused = keras.Sequential([keras.Input(model.input_shape[1:])])
    remaining = list(model.layers)
    while remaining:
        layer = remaining.pop(0)
        if remaining and _gains(layer, remaining[0]):
            remaining.pop(0)
            layer = WinogradConvPool(layer, frozen)
        fused.add(layer)
    return fused


def _gains(layer: Any, following: Any) -> bool:
    return (
        isinstance(layer, layers.Conv2D)
        and isinstance(following, layers.MaxPooling2D)
        and layer.kernel_size == (3, 3)
        and layer.strides == layer.dilation_rate == (1, 1)
        and layer.padding == following.padding == "valid"
        and layer.activation in (keras.activations.relu, keras.activations.linear)
        and layer.groups == 1
        and following.pool_size == following.strides == (2, 2)
        and layer.kernel.shape[-2] > 1
    )
