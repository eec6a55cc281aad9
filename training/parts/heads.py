"""Names of a network's last layers: which labels each answers with."""

HEAD, FERPLUS_HEAD = "emotions", "ferplus"
