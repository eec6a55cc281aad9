"""A timeline on its page: chart, player, quality."""
