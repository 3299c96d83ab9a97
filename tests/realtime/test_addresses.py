"""Addresses as they are written, and what limits count as one."""

import pytest

from realtime.addresses import UNIX, network_around, read_address

WRITTEN = {
    "203.0.113.7": "203.0.113.7",
    " 203.0.113.7 ": "203.0.113.7",
    "203.0.113.7:51234": "203.0.113.7",
    "203.0.113.7:_port": "203.0.113.7",
    "2001:db8::7": "2001:db8::7",
    "2001:DB8:0::7": "2001:db8::7",
    "[2001:db8::7]": "2001:db8::7",
    "[2001:db8::7]:443": "2001:db8::7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "[::ffff:cb00:7107]:443": "203.0.113.7",
    "fe80::1%eth0": "fe80::1",
    "[fe80::1%25eth0]:443": "fe80::1",
    "::1": "::1",
    '"203.0.113.7"': "203.0.113.7",
    ' "[2001:db8::7]:443" ': "2001:db8::7",
}


@pytest.mark.parametrize(("text", "address"), WRITTEN.items())
def test_an_address_is_read_however_a_proxy_writes_it(text: str, address: str) -> None:
    assert str(read_address(text)) == address


NO_ADDRESS = [
    "",
    " ",
    "unknown",
    "_hidden",
    "203.0.113",
    "203.0.113.7.9",
    "203.0.113.256",
    "[2001:db8::7",
    "[]",
    "[]:1",
]
NO_ADDRESS += [
    "2001:db8::7]",
    "[2001:db8::7]x",
    "1.2.3.4:5:6",
    "٣.2.3.4",
    "x" * 5000,
    "1.2.3.4\n",
    "0x7f.1",
    "127.1",
    ":80",
    '"',
    '""',
    '"203.0.113.7',
    '""203.0.113.7""',
]


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text.replace("\n", "\n.")) is None


NETWORKS = {
    "203.0.113.7": "203.0.113.7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2::": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80::/64",
    "::1": "::1",
    "": UNIX,
}


@pytest.mark.parametrize(("address", "network"), NETWORKS.items())
def test_limits_count_a_customer_as_one(address: str, network: str) -> None:
    assert network_around(address) == network
