"""The analysis side of Emotion Timeline: video in, a timeline of facial emotions out.

Importing the package loads nothing; `celery -A worker worker` finds the application in `worker.celery`.
"""
