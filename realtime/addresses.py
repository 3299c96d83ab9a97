"""IP addresses, as servers and proxies write them, and which of them limits count as one."""

import ipaddress
import re
from functools import lru_cache

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

UNIX = "unix"
"""In TRUSTED_PROXIES: whoever connects by a unix socket. As a network: a peer without an address."""
ADDRESSES_KEPT = 4096
"""Of so many addresses that came last it is known what was read in them."""
NODE = re.compile(r"\[(?P<six>[^]]*)\](:.*)?|(?P<four>[^:]*):[^:]*|(?P<bare>.*)", re.DOTALL)
"""An address with or without its port, as proxies write it (RFC 7239 §6)."""


@lru_cache(maxsize=ADDRESSES_KEPT)
def network_around(address: str) -> str:
    """What limits count as one: an IPv4 address, of IPv6 the /64 that a single customer has, `unix` for no address."""
    return network_of(read_address(address))


def read_address(text: str) -> IP | None:
    """The IP address in a text such as `203.0.113.7:51234`, `"[2001:db8::7]:443"` or `::ffff:10.0.0.1`; else None."""
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    node = NODE.fullmatch(text[1:-1] if quoted else text)
    assert node is not None
    found: str = node["six"] or node["four"] or node["bare"] or ""
    try:
        ip = ipaddress.ip_address(found.partition("%")[0])  # a zone (RFC 4007) is this machine's own matter
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def network_of(ip: IP | None) -> str:
    """The same of an address that was read; None: there is none."""
    if isinstance(ip, ipaddress.IPv6Address) and not ip.is_loopback:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return UNIX if ip is None else str(ip)
