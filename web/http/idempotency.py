"""The header Idempotency-Key: a client that repeats a request, not knowing whether it arrived, makes nothing twice."""

import hashlib
from dataclasses import dataclass

from flask import request

from web.http.problems import Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_LENGTH = 255


@dataclass(frozen=True)
class Key:
    """A client's key, and what is asked for under it.

    Attributes:
        key: 1 to 255 printable ASCII characters.
        fingerprint: SHA-256 of what is asked for, in hexadecimal.
    """

    key: str
    fingerprint: str


def key_of_request(*asked: object) -> Key | None:
    """The present request's key; None without the header.

    Args:
        asked: what tells this request from others, beside its method and address.

    Raises:
        Problem: 400, the header is no key.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= _LENGTH and key.isascii() and key.isprintable()):
        sentence = f"{HEADER} was expected to be 1 to {_LENGTH} printable ASCII characters, such as a UUID."
        raise Problem(400, "bad_idempotency_key", sentence)
    fingerprint = hashlib.sha256(repr((request.method, request.path, *asked)).encode()).hexdigest()
    return Key(key, fingerprint)
