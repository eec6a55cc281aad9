"""How a network learns: one run with its checkpoints, and what it is taught."""
