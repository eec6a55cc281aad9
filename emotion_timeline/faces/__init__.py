"""Faces in a frame: found, cropped, classified, and linked over time."""

import os

# TensorFlow multiplies by oneDNN's kernels only where the CPU has AVX-512, unless told so before it's imported; with
# AVX2 they're faster too, in batches (benchmarks.onednn).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
