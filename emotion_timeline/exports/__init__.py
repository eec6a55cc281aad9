"""A timeline as files, and what every column of them means."""
