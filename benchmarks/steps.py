"""Training steps with stock layers and with those that training uses in their place, in one run: images/s and ratio.

python -m benchmarks.steps [--network NAME] [--precision mixed_bfloat16]
"""

import argparse
import os
import time
from statistics import median
from typing import Any

import numpy as np

_BATCH, _ROUNDS = 128, 7


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    from training import networks

    parser.add_argument("--network", choices=networks.NAMES, action="append", help="default: all")
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"), default="mixed_bfloat16")
    options = parser.parse_args()
    for name in options.network or networks.NAMES:
        stock, fast = speeds(name, options.precision)
        print(f"{name}: stock {stock:.0f} images/s, in training {fast:.0f} images/s, ratio {fast / stock:.2f}")


def speeds(name: str, precision: str) -> tuple[float, float]:
    """Training images/s of a network with stock layers, and with those that training uses."""
    import keras

    from training import networks
    from training.learning.run import fast_steps

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_BATCH, 48, 48, 1)).astype(np.float32)
    labels = np.eye(7, dtype=np.float32)[rng.integers(0, 7, _BATCH)]
    keras.config.set_dtype_policy(precision)
    models: list[Any] = [networks.build(name), fast_steps(networks.build(name))]
    for model in models:
        model.compile(keras.optimizers.Adam(), "categorical_crossentropy", jit_compile=False)
        model.train_on_batch(images, labels)  # traces
    found: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for model, measured in zip(models, found, strict=True):
            started = time.perf_counter()
            model.train_on_batch(images, labels)
            measured.append(_BATCH / (time.perf_counter() - started))
    return median(found[0]), median(found[1])


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
