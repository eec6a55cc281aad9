"""Which names of this service are served, so that no foreign name can be turned to it.

A page of another site may have its own name answer with 127.0.0.1 after it was loaded, and then read everything here as
"its own" site (DNS rebinding): the browser sends that name as Host. So only names that the operator knows are served.
"""

from contextlib import suppress
from ipaddress import ip_address

from flask import Request

from emotion_timeline.config import Settings
from web.http.problems import Problem


def require_served(settings: Settings, asked: Request) -> None:
    """Refuse a request whose Host is neither this machine's own name for itself nor one of TIMELINE_HOSTS.

    Raises:
        Problem: 421.
    """
    name = host_name(asked.environ.get("HTTP_HOST") or asked.host)
    if not (is_loopback(name) or name in settings.host_names):
        sentence = (
            f"This service was asked for as {name[:100]!r}, which is not a name that it knows. If it is one of its "
            "names, the operator adds it to the setting TIMELINE_HOSTS and starts the service again."
        )
        raise Problem(421, "unknown_host", sentence)


def host_name(host: str) -> str:
    """Return a Host header without its port, in the form of Settings.host_names."""
    name, _, _ = host.removeprefix("[").partition("]") if host.startswith("[") else host.partition(":")
    return name.rstrip(".").lower()


def is_loopback(name: str) -> bool:
    """Whether a name always stands for the machine that asks."""
    with suppress(ValueError):
        return ip_address(name).is_loopback
    return name == "localhost"
