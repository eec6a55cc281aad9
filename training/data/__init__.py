"""Faces with labels: where they come from, and how they are changed and scaled for training."""
