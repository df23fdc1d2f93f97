"""What a person types as network settings."""

from __future__ import annotations

import pytest

from backup_agent.errors import UsageError
from rescue_media.network.settings import proxy, static_address


def test_an_address_with_prefix_or_mask_is_the_same() -> None:
    short = static_address("192.168.1.50/24", "192.168.1.1", "192.168.1.1, 9.9.9.9")
    long = static_address("192.168.1.50/255.255.255.0", "192.168.1.1", "192.168.1.1 9.9.9.9")
    assert short == long
    assert [str(server) for server in short.name_servers] == ["192.168.1.1", "9.9.9.9"]


@pytest.mark.parametrize(
    ("address", "gateway", "servers", "words"),
    [
        ("192.168.1.50", "", "", "lacks its mask"),
        ("192.168.1.500/24", "", "", "no IPv4 address"),
        ("192.168.1.0/24", "", "", "of the network itself"),
        ("192.168.1.50/24", "192.168.2.1", "", "not in the network"),
        ("192.168.1.50/24", "router", "", "no IPv4 address for a gateway"),
        ("192.168.1.50/24", "", "9.9.9", "no IPv4 address for a name server"),
    ],
)
def test_what_cannot_be_right_is_named(
    address: str, gateway: str, servers: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        static_address(address, gateway, servers)


def test_a_proxy_is_told_to_http_libraries_with_its_login_encoded() -> None:
    settings = proxy("proxy.example.org:3128", user="ann", password="p@ss:word")
    words = settings.environment()
    assert words["HTTPS_PROXY"] == "http://ann:p%40ss%3Aword@proxy.example.org:3128"
    assert "127.0.0.1" in words["NO_PROXY"]


def test_a_proxys_password_is_not_in_its_text() -> None:
    assert "secret" not in repr(proxy("http://[2001:db8::1]:3128", user="ann", password="secret"))


@pytest.mark.parametrize("address", ["", "proxy", "proxy:0x", "https://proxy:1", "ann:pw@proxy:1"])
def test_a_proxy_without_host_and_port_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        proxy(address)
