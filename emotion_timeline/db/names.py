"""Names of recordings as they are compared: without case, however a system composes its accents, numbers by size."""

import re
import unicodedata

_NUMBER = re.compile("[0-9]+")
_LENGTH_DIGITS = 3  # of a number's length: names have up to 255 characters
_SORT_KEY_LENGTH = 400  # more than two names have in common; an index of PostgreSQL takes 2.7 kB


def folded(name: str) -> str:
    """The form in which two names that a person takes for the same are equal (Unicode's NFKC and full case folding;
    SQLite by itself folds ASCII only)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def sort_key(key: str) -> str:
    """What sorts as a person would put names in order, numbers by their size: P2 before P10.

    Each number stands behind its number of digits, so that any order of texts is the order of numbers: 2 as 0012, 10 as
    00210. Zeros in front of it don't count.

    Args:
        key: the name, folded.
    """
    return _NUMBER.sub(_with_length, key)[:_SORT_KEY_LENGTH]


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0") or "0"
    return f"{len(digits):0{_LENGTH_DIGITS}}{digits}"
