"""What networks are made of and begin with."""
