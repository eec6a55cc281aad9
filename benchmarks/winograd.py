"""Training steps of the paper's network with stock convolutions and with Winograd's, in one run: images/s and ratio.

python -m benchmarks.winograd [--precision mixed_bfloat16]
"""

import argparse
import os
import time
from statistics import median

import numpy as np

_BATCH, _ROUNDS = 128, 7


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"), default="mixed_bfloat16")
    import keras

    from training import networks
    from worker import winograd

    keras.config.set_dtype_policy(parser.parse_args().precision)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_BATCH, 48, 48, 1)).astype(np.float32)
    labels = np.eye(7, dtype=np.float32)[rng.integers(0, 7, _BATCH)]
    models = {"stock": networks.build("paper"), "Winograd": winograd.rewrite(networks.build("paper"))}
    for model in models.values():
        model.compile(keras.optimizers.Adam(), "categorical_crossentropy", jit_compile=False)
        model.train_on_batch(images, labels)  # traces
    speeds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(_ROUNDS):
        for name, model in models.items():
            started = time.perf_counter()
            model.train_on_batch(images, labels)
            speeds[name].append(_BATCH / (time.perf_counter() - started))
    stock, fast = (median(speeds[name]) for name in models)
    print(f"stock {stock:.0f} images/s, Winograd {fast:.0f} images/s, ratio {fast / stock:.2f}")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
