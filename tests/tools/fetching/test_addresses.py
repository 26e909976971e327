"""How addresses are read, shown and named."""

from __future__ import annotations

import pytest

from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.fetching.addresses import name_of, read_address, refusal, shown


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM.:443/A?B", "https://example.com/A?B"),
        ("https://example.com:80", "https://example.com:80/"),
        ("http://example.com:/x", "http://example.com/x"),
        ("http://example.com?q", "http://example.com/?q"),
        ("http://example.com/a b/ü?q=ü r#ignored?x", "http://example.com/a%20b/%C3%BC?q=%C3%BC%20r"),
        ("http://example.com/%41%2F%zz?a%20b+c", "http://example.com/%41%2F%zz?a%20b+c"),
        ("http://example.com/@me/:80//x;y,z", "http://example.com/@me/:80//x;y,z"),
        ("http://example.com/?u=http://user@127.0.0.1/", "http://example.com/?u=http://user@127.0.0.1/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://faß.de/", "http://xn--fa-hia.de/"),
        ("http://日本。jp/", "http://xn--wgv71a.jp/"),
        ("http://ＥＸＡＭＰＬＥ.com/", "http://example.com/"),
        ("http://my_files.s3.example.com/", "http://my_files.s3.example.com/"),
        ("http://8.8.8.8:8080/", "http://8.8.8.8:8080/"),
        ("http://[2606:4700:0::1111]:81/x", "http://[2606:4700::1111]:81/x"),
    ],
)
def test_addresses_are_read_in_one_way(url: str, read: str) -> None:
    assert str(read_address(url)) == read
    assert read_address(read) == read_address(url)


@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[2606:4700::1111%eth0]", "[::ffff:127.0.0.1%1]"])
def test_no_network_interface_is_named(host: str) -> None:
    with pytest.raises(MediaError, match="its IPv6 address cannot be read"):
        read_address(f"http://{host}/")


@pytest.mark.parametrize("value", [None, 5, b"http://example.com/", ["http://example.com/"]])
def test_an_address_is_a_text(value: object) -> None:
    with pytest.raises(MediaError, match=f"An address is a text, not {type(value).__name__}"):
        read_address(value)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://example.com/a?token=secret#secret", "'http://example.com/a'"),
        ("http://user:secret@example.com/a", "'http://example.com/a'"),
        ("http://us@er:secret@example.com/a", "'http://example.com/a'"),
        ("http://user:sec/ret@example.com/a", "'http://…'"),
        ("http://user:12/secret@example.com/a", "'http://…'"),
        ("http://user:secret\\@example.com/a", "'http://example.com/a'"),
        ("user:secret@example.com", "'user:…'"),
        ("//user:secret@example.com/a?secret", "'example.com/a'"),
        ("secret@example.com/a", "'example.com/a'"),
        ("data:text/plain,secret", "'data:…'"),
        ("http://example.com/\x1b[31m\u202e\n", r"'http://example.com/\x1b[31m\u202e\n'"),
        ("http://example.com/" + "x" * 100, "'http://example.com/" + "x" * 60 + "…'"),
        ("ftp://user:secret@example.com/a", "'ftp://example.com/a'"),
        ("http://example.com/@me/cat.png", "'http://example.com/@me/cat.png'"),
        ("", "''"),
    ],
)
def test_secrets_are_not_shown(url: str, seen: str) -> None:
    assert shown(url) == seen
    assert str(refusal(url, "of a reason", "Do this.")) == f"{seen} cannot be fetched: of a reason. Do this."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/cat.png", "cat.png"),
        ("/", ""),
        ("", ""),
        ("/a/", ""),
        ("/a/..", ""),
        ("/cat.png?name=/dog.png", "cat.png"),
        ("/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("/..%5C..%5Ccat.png", "cat.png"),
        ("/%00cat%00.png%00", "cat.png"),
        ("/cat%0d%0a%1b.png", "cat.png"),
        ("/cat%E2%80%AEgnp.exe", "catgnp.exe"),
        ("/.hidden", "hidden"),
        ("/%20cat.png%20.", "cat.png"),
        ("/%ff%fe.png", "\ufffd\ufffd.png"),
        ("/%252e%252e%252f", "%2e%2e%2f"),
        ("/日本.png", "日本.png"),
        ("/" + "x" * 300 + ".jpeg", "x" * 95 + ".jpeg"),
        ("/" + "x" * 300, "x" * 100),
        ("/x." + "y" * 300, "x." + "y" * 98),
    ],
)
def test_names_are_harmless(path: str, name: str) -> None:
    assert name_of(read_address(f"http://example.com{path}")) == name
