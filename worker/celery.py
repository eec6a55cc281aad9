"""Where `celery -A worker worker` finds the application; the queue and its settings are emotion_timeline.queue's."""

from emotion_timeline.queue import app

__all__ = ["app"]
