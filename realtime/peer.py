"""Who is at the other end of a connection, and how they reached this site: the one place that reads what is forwarded.

A proxy passes on what it does not overwrite. So of all headers that forward something only those named in
TRUSTED_HEADERS count, and only from a peer in TRUSTED_PROXIES. Each is a list, to whose end every proxy adds what it
saw; it is walked from that end, for as long as a proxy is trusted. What stands before was written by a stranger.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http.request import split_domain_port, validate_host

from realtime.addresses import IP, UNIX, network_of, read_address

Scope = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = tuple[tuple[bytes, bytes], ...]

DEFAULT_TRUSTED = ("X-Forwarded-For", "X-Forwarded-Proto")
READABLE = (*DEFAULT_TRUSTED, "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded")
"""What TRUSTED_HEADERS may name."""
FORWARDING = re.compile(
    rb"forwarded|x-(forwarded|original)-.*|x-real-ip|(x|true|cf)-(client|connecting)-ip|front-end-https"
)
"""Headers, in lower case, that say something of another connection: none of them means anything further in."""
SCHEMES = {"https": "https", "wss": "https", "http": "http", "ws": "http"}
DEFAULT_PORTS = {"http": 80, "https": 443}
PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+")
"""A path without empty or relative parts (RFC 3986 §3.3): no browser takes it for a host."""
PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*(;|$)')
"""A pair of a Forwarded element (RFC 7239 §4)."""
PEERS_KEPT, PEER_BYTES = 1024, 512
"""What was read of so many is kept, so that one client's connections share it; longer headers are read each time."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a connection, as far as what is forwarded can be trusted."""

    address: str
    """An IP address, an IPv4 one never as IPv6; empty where there is none."""
    network: str
    """What limits count as one; see realtime.addresses.network_around."""
    scheme: str
    """`https` or `http`, as the client spoke."""
    host: str
    """The host name that it asked for; empty where that is not one of ALLOWED_HOSTS."""
    port: int | None
    """The port that it asked for; None: the scheme's own."""
    prefix: str
    """The path under which the outermost proxy has this site, as in `/chorus`; mostly empty. FORCE_SCRIPT_NAME wins."""
    asked: str
    """Host and port as somebody wrote them, ours or not."""

    @property
    def origin(self) -> str | None:
        """The origin of this site's pages as the client reached them (RFC 6454); None where its host is not ours."""
        return f"{self.scheme}://{self.netloc}" if self.host else None

    @property
    def netloc(self) -> str:
        """Host and port as they stand in an address."""
        return self.host if self.port is None else f"{self.host}:{self.port}"


def peer_of(scope: Scope) -> Peer:
    """The client of a connection; worked out once for each scope."""
    found: Peer | None = scope.get("peer")
    if found is None:
        client = (scope.get("client") or ("",))[0] or ""
        said = tuple((name, value) for name, value in scope.get("headers", ()) if name == b"host" or name in _headers())
        read = _read_again if sum(len(value) for _, value in said) <= PEER_BYTES else _read
        found = scope["peer"] = read(str(client), scope.get("scheme") or "http", scope.get("root_path") or "", said)
    return found


def is_trusted(ip: IP) -> bool:
    """Tell whether an address is one of TRUSTED_PROXIES."""
    return any(ip in network for network in _proxies())


def is_proxy(client: str) -> bool:
    """Tell whether who connected, from an address or by a unix socket (empty), is one of TRUSTED_PROXIES."""
    ip = read_address(client)
    return is_trusted(ip) if ip else not client and UNIX in settings.TRUSTED_PROXIES


def _read(client: str, spoken: str, root_path: str, headers: Headers) -> Peer:
    lists = _lists(headers)
    address, depth = _walk(client, lists.get("for", []))

    def said(name: str) -> str:
        """What the outermost trusted proxy said under a name."""
        values = lists.get(name)
        return values[-min(depth, len(values))].strip() if values and depth else ""

    scheme = SCHEMES.get(said("proto").lower()) or SCHEMES[spoken]
    # Of two Host headers neither counts (RFC 9112 §3.2): together they are no host.
    asked = said("host") or ",".join(value.strip() for value in lists["asked"])
    host, port = _host(asked, said("port"), scheme)
    forwarded = said("prefix").rstrip("/")
    prefix = forwarded if PREFIX.fullmatch(forwarded) else root_path
    return Peer(
        address="" if address is None else str(address),
        network=network_of(address),
        scheme=scheme,
        host=host,
        port=port,
        prefix=(settings.FORCE_SCRIPT_NAME or prefix).rstrip("/"),
        asked=asked,
    )


_read_again = lru_cache(maxsize=PEERS_KEPT)(_read)


def _walk(client: str, hops: list[str]) -> tuple[IP | None, int]:
    """The address of the first peer that is no trusted proxy, and how many of those stand before it."""
    address, trusted, depth = read_address(client), is_proxy(client), 0
    while trusted:
        depth += 1
        hop = read_address(hops[-depth]) if depth <= len(hops) else None
        if hop is None:  # nobody, `unknown`, or made up: nothing beyond it is known
            break
        address = hop
        trusted = is_trusted(hop)
    return address, depth


def _host(asked: str, forwarded_port: str, scheme: str) -> tuple[str, int | None]:
    host, port = split_domain_port(asked)
    if not host or not validate_host(host, settings.ALLOWED_HOSTS):
        return "", None
    if asked.removesuffix(f":{port}").endswith("."):  # browsers keep a root's dot, in a page's origin too
        host += "."
    if not port:
        number = _port(forwarded_port)
        # A proxy behind the one that ended TLS says 80 of what came as https: no browser was there.
        return host, None if number in DEFAULT_PORTS.values() else number
    number = _port(port)
    if number is None:
        return "", None
    return host, None if number == DEFAULT_PORTS[scheme] else number


def _port(text: str) -> int | None:
    """A port's number; None for what is none."""
    number = int(text) if len(text) <= 5 and text.isascii() and text.isdecimal() else 0
    return number if 0 < number < 65536 else None


def _lists(headers: Headers) -> dict[str, list[str]]:
    """What is forwarded, by what it is about, from the headers that count; `asked` are the Host headers."""
    found: dict[str, list[str]] = {"asked": []}
    names, elements = _headers(), []
    # Each proxy may add to a header or add a header; their order tells as much as a comma.
    for key, value in headers:
        if key == b"host":
            found["asked"].append(value.decode("latin-1"))
        elif key == b"forwarded":
            elements += [_element(text) for text in _split(value.decode("latin-1"))]
        else:
            found.setdefault(names[key], []).extend(value.decode("latin-1").split(","))
    if elements:
        found |= {name: [element.get(name, "") for element in elements] for name in ("for", "proto", "host")}
    return found


def _split(text: str) -> list[str]:
    """The elements of a Forwarded header, found from its end: a stranger's open quote reaches no proxy's words."""
    found, end, quoted = [], len(text), False
    for at in range(len(text) - 1, -1, -1):
        if text[at] == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif text[at] == "," and not quoted:
            found.append(text[at + 1 : end])
            end = at
    return [text[:end], *reversed(found)]


def _element(text: str) -> dict[str, str]:
    """The pairs of one element of Forwarded; none where it is malformed."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = PAIR.match(text, at)
        if pair is None:
            return {}
        found[pair[1].lower()] = re.sub(r"\\(.)", r"\1", pair[2]) if pair[2] is not None else pair[3]
        at = pair.end()
    return found


@cache
def _proxies() -> tuple[Network, ...]:
    return tuple(
        _as_read(ipaddress.ip_network(each, strict=False)) for each in settings.TRUSTED_PROXIES if each != UNIX
    )


def _as_read(network: Network) -> Network:
    """A network of mapped IPv4 addresses (RFC 4291 §2.5.5.2) as the IPv4 one whose addresses are read."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - 96))


@cache
def _headers() -> dict[bytes, str]:
    """Each header that counts, as it stands in a scope, and what it is about."""
    trusted = {name.lower() for name in getattr(settings, "TRUSTED_HEADERS", DEFAULT_TRUSTED)}
    return {name.encode(): name.removeprefix("x-forwarded-") for name in trusted}


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"TRUSTED_PROXIES", "TRUSTED_HEADERS", "ALLOWED_HOSTS", "FORCE_SCRIPT_NAME"}:
        _proxies.cache_clear()
        _headers.cache_clear()
        _read_again.cache_clear()


setting_changed.connect(_forget)
