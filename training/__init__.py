"""From FER2013 to a served, documented network."""

import emotion_timeline.faces  # noqa: F401  # before any module imports Keras: it says how TensorFlow computes
