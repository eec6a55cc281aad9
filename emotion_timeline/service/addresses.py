"""Where a webhook may be sent: what a host's name stands for, and whether that is the public internet."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from emotion_timeline.errors import TimelineError

PORTS = {"http": 80, "https": 443}


class NotFoundByName(TimelineError):
    """No address is known for a host's name."""


class PrivateAddress(TimelineError):
    """A host is at an address of a private network, or of this machine."""


def resolve(host: str, port: int, allow_private: bool) -> Sequence[str]:
    """Return the addresses of a host, in the order in which to try them.

    Raises:
        NotFoundByName: there is none.
        PrivateAddress: one of them isn't public, and that isn't allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise NotFoundByName(f"{host} could not be found: {exc}.") from exc
    addresses = [str(entry[4][0]) for entry in found]
    private = [address for address in addresses if not is_public(ip_address(address.partition("%")[0]))]
    if private and not allow_private:
        raise PrivateAddress(
            f"{host} is at {private[0]}, which is not a public address. The operator can allow that "
            "(TIMELINE_WEBHOOK_PRIVATE_ADDRESSES)."
        )
    return list(dict.fromkeys(addresses))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address, or the IPv4 address that it carries, is one of the public internet."""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if carried is not None:
            return is_public(carried)
        if int(address) >> 32 == int(IPv6Address("64:ff9b::")) >> 32:  # NAT64, RFC 6052
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast
