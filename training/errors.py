"""What a person who trains a network can be told."""

from emotion_timeline.errors import TimelineError


class TrainingError(TimelineError):
    """Training or evaluation can't be done as asked: no such data, split, network or checkpoint."""
