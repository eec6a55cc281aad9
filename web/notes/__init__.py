"""Notes and marked ranges."""
