"""Names of recordings as they are compared: without case, and however a system composes its accents."""

import unicodedata


def folded(name: str) -> str:
    """The form in which two names that a person takes for the same are equal (Unicode's NFKC and full case folding;
    SQLite by itself folds ASCII only)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
