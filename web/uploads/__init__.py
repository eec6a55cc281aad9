"""How recordings come in."""
