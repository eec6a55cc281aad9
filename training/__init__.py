"""From FER2013 to a served, documented network."""
