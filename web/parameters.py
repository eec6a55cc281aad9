"""What a request's address asks for, checked."""

from flask import request

from web.problems import Problem


def whole_number(name: str, *, default: int, lowest: int, highest: int) -> int:
    """A whole number from the query, between bounds.

    Raises:
        Problem: 400.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and lowest <= int(text) <= highest):
        found = f"but is {text[:40]!r}"
        raise Problem(400, f"bad_{name}", f"`{name}` was expected to be from {lowest} to {highest}, {found}.")
    return int(text)
