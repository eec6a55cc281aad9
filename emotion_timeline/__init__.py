"""The analysis side of Emotion Timeline: video in, a timeline of facial emotions out.

Importing the package loads nothing; `celery -A worker worker` finds the application in `emotion_timeline.queue`.
"""

import os

# TensorFlow multiplies by oneDNN's kernels only where the CPU has AVX-512, unless told so before it's imported; with
# AVX2 they're faster too, in batches (benchmarks.onednn).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
