"""Addresses that must not be reached, in every spelling: no connection may be made for any of them."""

from __future__ import annotations

import asyncio

import pytest

from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.fetching import Fetcher
from tests.tools.fetching.server import PUBLIC, Detour, Names, Server, redirect, response

PLAIN = [
    "http://127.0.0.1/",
    "http://127.8.9.10:8080/x",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/",
    "http://100.64.0.1/",
    "http://168.63.129.16/machine",
    "http://192.0.0.192/opc/",
    "http://192.0.2.1/",
    "http://198.51.100.1/",
    "http://203.0.113.9/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://192.31.196.1/",
    "http://192.52.193.1/",
    "http://192.88.99.1/",
    "http://192.175.48.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "https://[::1]/",
    "http://[::]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/latest/",
    "http://[fd20:ce::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[2001:2::1]/",
    "http://[100::1]/",
    "http://[5f00::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:c0a8:101::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::8.8.8.8]/",
]
MASKED = [
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7F.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.01/",
    "http://0/",
    "http://0x/",
    "http://127.0.0.1./",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://example.com.127/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127.0.0.1%2f@example.com/",
    "http://%31%32%37.0.0.1/",
    "http://example.com%00.127.0.0.1/",
    "http://loca%6chost/",
    "http://good@127.0.0.1/",
    "http://127.0.0.1@example.com/",
    "http://user:password@example.com/",
    "http://@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://127.0.0.1\\.example.com/",
    "http:\\\\example.com\\",
    "http://exa\tmple.com/",
    "http://exa\nmple.com/",
    "http://example.com/\r\nX-Injected: 1",
    "http://example.com/\x00.png",
    "\x00http://example.com/",
    "http://example.com /",
    "http:///example.com/",
    "http:example.com",
    "http:/example.com",
    "//example.com/",
    "example.com/cat.png",
    "http://",
    "http://:80/",
    "http://?x",
    "http://[::1/",
    "http://::1/",
    "http://[example.com]/",
    "http://[fe80::1%25eth0]/",
    "http://[2606:4700::1111%eth0]/",
    "http://[127.0.0.1]/",
    "http://[::1]x/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-1/",
    "http://example.com:８０/",
    "http://example.com:80:80/",
    "http://exa..mple.com/",
    "http://.example.com/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/",
    "http://exa$mple.com/",
    "http://xn--\u212a.com\u2100/",
    "http://exam\ud800ple.com/",
    "http://example.com/\ud800.png",
    "http://example.com/" + "x" * 8_000,
]
NAMES = [
    "http://localhost/",
    "http://LOCALHOST:3000/",
    "http://localhost./",
    "http://ⓛocalhost/",
    "http://loc\u00adalhost/",
    "http://a.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://host.docker.internal/",
    "http://kubernetes.default.svc.cluster.local/",
    "http://localhost.localdomain/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://intranet/",
    "http://metadata/",
]
SCHEMES = [
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://example.com/a.png",
    "gopher://example.com:70/_",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "ws://example.com/",
    "blob:https://example.com/x",
    "jar:http://example.com!/",
    "unix:/var/run/docker.sock",
    "httpx://example.com/",
]
PORTS = [f"http://example.com:{port}/" for port in (22, 25, 6379, 6667, 11211, 3306)]


@pytest.fixture
def network() -> Detour:
    return Detour()


def refused(fetcher: Fetcher, url: str) -> str:
    """What is said, which is the same from both sides."""
    with pytest.raises(MediaError) as sync:
        fetcher.fetch(url)
    with pytest.raises(MediaError) as other:
        asyncio.run(fetcher.afetch(url))
    assert str(sync.value) == str(other.value)
    assert "cannot be fetched" in str(sync.value)
    assert sync.value.remedy
    return str(sync.value)


@pytest.mark.parametrize("url", PLAIN)
def test_addresses_that_are_not_public(network: Detour, url: str) -> None:
    assert "is not public but" in refused(Fetcher(network=network), url)
    assert network.connected == []


@pytest.mark.parametrize("url", MASKED, ids=lambda url: ascii(url)[:60])
def test_addresses_that_can_be_read_in_two_ways(network: Detour, url: str) -> None:
    """Each name would be public, if it were one."""
    said = refused(Fetcher(network=network, resolve=Names()), url)
    assert network.connected == []
    assert said.isprintable()
    assert "password" not in said.partition("cannot be fetched")[0]


@pytest.mark.parametrize("url", NAMES)
def test_names_of_the_local_network(network: Detour, url: str) -> None:
    """They are refused by their form: here, each would have a public address."""
    names = Names()
    assert "is a name of the local network" in refused(Fetcher(network=network, resolve=names), url)
    assert (names.asked, network.connected) == ([], [])


@pytest.mark.parametrize("url", SCHEMES)
def test_other_schemes(network: Detour, url: str) -> None:
    said = refused(Fetcher(network=network, resolve=Names()), url)
    assert "only http and https addresses are" in said
    assert ("Attach the file by its path" in said) is url.startswith("file:")
    assert network.connected == []


@pytest.mark.parametrize("url", PORTS)
def test_ports_of_other_protocols(network: Detour, url: str) -> None:
    assert "is not one of the web" in refused(Fetcher(network=network, resolve=Names(), allowed_hosts=["example.com"]), url)
    assert network.connected == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
        ["::1"],
        [PUBLIC, "::ffff:127.0.0.1"],
        ["fe80::1%eth0"],
        ["2606:4700::1111%eth0"],
        ["not an address"],
        ["127.1"],
        [PUBLIC] * 9 + ["192.168.0.1"],  # further than any that would be tried
    ],
    ids=str,
)
def test_a_name_must_be_public_with_all_its_addresses(network: Detour, addresses: list[str]) -> None:
    fetcher = Fetcher(network=network, resolve=Names(media_example=[addresses]))
    said = refused(fetcher, "http://media.example/cat.png")
    assert "'media.example' has the address" in said
    assert "is not public but" in said
    assert network.connected == []


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long")])
def test_a_name_without_addresses(network: Detour, error: Exception) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise error

    assert "there is no host 'media.example'" in refused(Fetcher(network=network, resolve=fail), "http://media.example/")
    assert "the name has no address" in refused(Fetcher(network=network, resolve=Names(media_example=[[]])), "http://media.example/")


def test_a_name_that_changes_between_two_looks(network: Detour) -> None:
    """It is looked up once for a connection, which goes to the address that was checked."""
    names = Names(media_example=[[PUBLIC], ["127.0.0.1"]])
    with Server(response(b"public")) as server:
        fetched = Fetcher(network=network, resolve=names).fetch(server.url(host="media.example"))
    assert (fetched.data, names.asked) == (b"public", ["media.example"])
    assert network.connected == [(PUBLIC, server.port)]


def test_a_name_that_changes_between_two_connections(network: Detour) -> None:
    names = Names(media_example=[[PUBLIC], ["127.0.0.1"]])
    with (
        Server([redirect("/other.png"), response(b"private")]) as server,
        pytest.raises(MediaError, match=r"'media\.example' has the address 127\.0\.0\.1, which is not public but this machine"),
    ):
        Fetcher(network=network, resolve=names).fetch(server.url(host="media.example"))
    assert len(server.requests) == 1
    assert network.connected == [(PUBLIC, server.port)]


def test_another_address_is_tried_where_one_does_not_answer(network: Detour) -> None:
    import httpcore

    class Broken(Detour):
        async def connect_tcp(self, host: str, port: int, *args: object, **kwargs: object) -> httpcore.AsyncNetworkStream:
            if host == "2606:4700::1111":
                self.connected.append((host, port))
                raise httpcore.ConnectError("unreachable")
            return await super().connect_tcp(host, port, *args, **kwargs)

    broken = Broken()
    with Server(response(b"there")) as server:
        fetcher = Fetcher(network=broken, resolve=Names(media_example=[["2606:4700::1111", PUBLIC]]))
        assert fetcher.fetch(server.url(host="media.example")).data == b"there"
    assert [host for host, _ in broken.connected] == ["2606:4700::1111", PUBLIC]


def test_a_local_server_is_reached_only_when_it_is_allowed() -> None:
    with Server(response(b"local")) as server:
        for allowed in ([], ["127.0.0.1:1"], ["127.0.0.2"], ["localhost"], [f"example.com:{server.port}"], [f"[::1]:{server.port}"]):
            assert "127.0.0.1 is not public but this machine" in refused(Fetcher(allowed_hosts=allowed), server.url())
        assert server.requests == []
        for allowed in (["127.0.0.1"], [server.host]):
            assert Fetcher(allowed_hosts=allowed).fetch(server.url()).data == b"local"


def test_an_allowed_name_may_be_private() -> None:
    local = Names(nas_local=[["127.0.0.1"]])
    with Server(response(b"local")) as server:
        fetcher = Fetcher(allowed_hosts=[f"NAS.local:{server.port}"], resolve=local)
        assert fetcher.fetch(server.url(host="nas.LOCAL.")).data == b"local"
        refused(fetcher, f"http://nas.local:{server.port + 1}/")
        refused(Fetcher(allowed_hosts=["local"], resolve=local), server.url(host="nas.local"))  # no endings, hosts
        refused(fetcher, server.url())  # the name is allowed, not its address


def test_a_port_of_another_protocol_may_be_allowed_by_its_number(network: Detour) -> None:
    fetcher = Fetcher(allowed_hosts=["example.com:22"], network=network, resolve=Names())
    assert "the connection failed" in refused(fetcher, "http://example.com:22/")
    assert network.connected


@pytest.mark.parametrize("host", ["", "http://example.com", "a b", "127.1", "::1", "user@host", "host:port", ":80", "h/path", "10.0.0.0/8"])
def test_what_cannot_be_allowed(host: str) -> None:
    with pytest.raises(MediaError, match=r"no host that could be allowed|its host is no name|its IP address|cannot be fetched"):
        Fetcher(allowed_hosts=[host])
