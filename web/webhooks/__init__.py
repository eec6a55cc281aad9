"""Addresses that are told of a video's end."""
