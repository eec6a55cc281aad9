"""How web and workers are run: the queue between them, the command that starts both, and who may read the data."""
