"""What is written of a network: its folder, its card and its pictures."""
