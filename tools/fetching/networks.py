"""Which IP addresses are public, after the registries of special-purpose addresses (IANA, RFC 6890 and its additions).

A list of our own, since that of `ipaddress` differs between versions of Python.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_IPV4 = {
    "0.0.0.0/8": "an unspecified one",
    "10.0.0.0/8": "a private one",
    "100.64.0.0/10": "one behind a carrier's NAT",
    "127.0.0.0/8": "this machine",
    "168.63.129.16/32": "one of a cloud's metadata",  # Azure's WireServer: public by its number, and reachable from every machine there
    "169.254.0.0/16": "a link-local one, as of a cloud's metadata",
    "172.16.0.0/12": "a private one",
    "192.0.0.0/24": "a reserved one",
    "192.0.2.0/24": "one for documentation",
    "192.31.196.0/24": "a reserved one",
    "192.52.193.0/24": "a reserved one",
    "192.88.99.0/24": "a relay of 6to4",
    "192.168.0.0/16": "a private one",
    "192.175.48.0/24": "a reserved one",
    "198.18.0.0/15": "one for benchmarks",
    "198.51.100.0/24": "one for documentation",
    "203.0.113.0/24": "one for documentation",
    "224.0.0.0/4": "a multicast one",
    "240.0.0.0/4": "a reserved one",
}
_IPV6 = {
    "::/128": "an unspecified one",
    "::1/128": "this machine",
    "::/96": "an IPv4-compatible one",
    "64:ff9b:1::/48": "a local one of NAT64",
    "fc00::/7": "a private one",
    "fe80::/10": "a link-local one",
    "fec0::/10": "a private one",
    "ff00::/8": "a multicast one",
    "2001::/32": "one of Teredo",
    "2001::/23": "a reserved one",
    "2001:db8::/32": "one for documentation",
    "3fff::/20": "one for documentation",
}
_PUBLIC_IPV6 = "2000::/3"
_MAPPED, _NAT64, _6TO4 = "::ffff:0:0/96", "64:ff9b::/96", "2002::/16"


def why_not_public(address: Address | str) -> str | None:
    """What a non-public address is ("a private one"), or None for a public one.

    Addresses that stand for an IPv4 address (mapped, NAT64, 6to4) are what that address is.

    Raises:
        ValueError: a text that is no address.
    """
    address = ip_address(address)
    if isinstance(address, IPv4Address):
        return _named(address, _IPV4)
    if address.scope_id is not None:
        return "one of a single network interface"
    if (inner := _inner(address)) is not None:
        return _named(inner, _IPV4)
    return _named(address, _IPV6) or (None if address in _network(_PUBLIC_IPV6) else "a reserved one")


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if address in _network(_MAPPED) or address in _network(_NAT64):
        return IPv4Address(address.packed[12:])
    return IPv4Address(address.packed[2:6]) if address in _network(_6TO4) else None


def _named(address: Address, names: dict[str, str]) -> str | None:
    return next((name for network, name in names.items() if address in _network(network)), None)


@lru_cache(maxsize=64)
def _network(text: str) -> IPv4Network | IPv6Network:
    return IPv6Network(text) if ":" in text else IPv4Network(text)
