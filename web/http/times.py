"""Times as the API tells them."""

from datetime import datetime


def instant(value: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")
