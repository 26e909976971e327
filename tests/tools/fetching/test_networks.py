"""Which addresses are public."""

from __future__ import annotations

import ipaddress

import pytest

from langchain_hugginggpt.tools.fetching.networks import why_not_public

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
    "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700::1111", "2a00:1450:4001:82a::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2620:fe::fe",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones(address: str) -> None:
    assert why_not_public(address) is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "this machine"),
        ("::1", "this machine"),
        ("::ffff:127.0.0.1", "this machine"),
        ("64:ff9b::10.0.0.1", "a private one"),
        ("2002:a00:1::", "a private one"),
        ("fe80::1%2", "one of a single network interface"),
        ("2001::1", "one of Teredo"),
        ("4000::1", "a reserved one"),
        ("f000::1", "a reserved one"),
    ],
)
def test_others_are_named(address: str, why: str) -> None:
    assert why_not_public(address) == why


def test_nothing_is_public_that_the_standard_library_takes_for_private() -> None:
    """Its list is another one; ours must not be behind it, whatever the version of Python."""
    for first in range(256):
        for second in range(256):
            address = ipaddress.IPv4Address(bytes([first, second, 0, 1]))
            assert address.is_global or why_not_public(address) is not None, address
    for first in range(0, 65_536, 7):
        six = ipaddress.IPv6Address(first.to_bytes(2, "big") + bytes(13) + b"\1")
        assert six.is_global or why_not_public(six) is not None, six


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0177.0.0.1", "1.2.3.4/8", "::1/128"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        why_not_public(text)
