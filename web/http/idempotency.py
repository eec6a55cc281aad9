"""The header Idempotency-Key: a client that repeats a request, not knowing whether it arrived, makes nothing twice."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from flask import request
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from web.http.validation import Texts

_Key = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]


class KeyHeaders(Texts):
    """The header."""

    idempotency_key: _Key | SkipJsonSchema[None] = Field(
        None,
        alias="Idempotency-Key",
        title="1 to 255 printable ASCII characters, such as a UUID",
        description="The same for repetitions of a request: they make nothing more and are answered like the first.",
    )


@dataclass(frozen=True)
class Key:
    """A client's key, and what is asked for under it.

    Attributes:
        key: 1 to 255 printable ASCII characters.
        fingerprint: SHA-256 of what is asked for, in hexadecimal.
    """

    key: str
    fingerprint: str


def key_of_request(headers: KeyHeaders, *asked: object) -> Key | None:
    """The present request's key; None without the header.

    Args:
        headers: the request's.
        asked: what tells this request from others, beside its method and address.
    """
    if headers.idempotency_key is None:
        return None
    fingerprint = hashlib.sha256(repr((request.method, request.path, *asked)).encode()).hexdigest()
    return Key(headers.idempotency_key, fingerprint)


def replayed(is_replay: bool) -> dict[str, str]:
    """The header by which an answer says that an earlier request with the same key had the effect."""
    return {"Idempotent-Replayed": "true"} if is_replay else {}
