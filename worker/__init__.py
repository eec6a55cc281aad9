"""The Celery workers: `celery -A worker worker`. What they do stands in emotion_timeline; here is how they are run."""
