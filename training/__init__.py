"""From FER2013 to a served, documented network."""

import worker  # noqa: F401  # before any module imports Keras: it says how TensorFlow computes
