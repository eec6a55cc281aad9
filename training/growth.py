"""Growing a trained network: a wider one that computes the same function.

T. Chen, I. Goodfellow, J. Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016 (Net2WiderNet).
A narrow network learns the coarse things several times faster; the wide one goes on from there.
"""

from typing import Any

import numpy as np


def widen(narrow: Any, wide: Any, seed: int = 0) -> None:
    """Sets the weights of a network with twice the width so that it computes what the narrow one computes.

    Every hidden unit gets a twin with the same inputs. What the unit gave to the next layer is split between the two by
    random shares (0.3-0.7), so the sum is unchanged, but the twins get different gradients and part ways.

    Args:
        narrow: a built sequential network of convolutions and dense layers.
        wide: the same network with twice as many units in every layer but the last; its weights are overwritten.
        seed: of the shares.
    """
    rng = np.random.default_rng(seed)
    before, after = narrow.get_weights(), wide.get_weights()
    weights = []
    for value, like in zip(before, after, strict=True):
        value = np.asarray(value)
        if value.ndim > 1 and like.shape[-2] == 2 * value.shape[-2]:
            share = rng.uniform(0.3, 0.7, value.shape).astype(value.dtype)
            value = np.concatenate([value * share, value * (1 - share)], axis=-2)
        if like.shape[-1] == 2 * value.shape[-1]:
            value = np.concatenate([value, value], axis=-1)
        weights.append(value)
    wide.set_weights(weights)
