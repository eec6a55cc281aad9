"""Where `celery -A worker worker` finds the application, which is that of emotion_timeline.service.queue."""

from emotion_timeline.service.queue import app

__all__ = ["app"]
