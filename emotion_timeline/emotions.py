"""The seven basic emotions, in the one order that every array, file and column of the product uses.

The order is FER2013's own (class 0 is angry, class 6 is neutral): Goodfellow et al., "Challenges in Representation
Learning: A report on three machine learning contests", 2013, https://arxiv.org/abs/1307.0414.
"""

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
