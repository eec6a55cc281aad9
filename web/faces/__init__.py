"""Faces and moments."""
