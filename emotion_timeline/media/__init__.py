"""Recordings: what a file holds, which frames to read, and pictures and movies made of them."""
