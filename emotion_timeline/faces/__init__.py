"""Faces in a frame: found, cropped, classified, and linked over time."""
