"""Who is at the other end, whatever proxies stand between and whatever strangers write."""

import time

import pytest
from pytest_django import Settings

from realtime.addresses import UNIX
from realtime.peer import READABLE, Peer, peer_of

Sent = tuple[str, str]

PROXY, INNER, STRANGER = "10.0.0.1", "10.0.0.2", "192.0.2.1"
FOR, PROTO, HOST, PORT, PREFIX, FORWARDED = (
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "forwarded",
)


@pytest.fixture(autouse=True)
def site(settings: Settings) -> Settings:
    """A site behind proxies that set every header."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/24", "fd00::/8"]
    settings.TRUSTED_HEADERS = READABLE
    settings.ALLOWED_HOSTS = ["chat.example", "other.example", "[2001:db8::1]"]
    return settings


def peer(client: str | None, *sent: Sent, host: str = "chat.example", scheme: str = "ws", root: str = "") -> Peer:
    """The peer of a connection with these headers."""
    headers = [(b"host", host.encode()), *((name.encode(), value.encode("latin-1")) for name, value in sent)]
    at = None if client is None else (client, 50000)
    return peer_of({"scheme": scheme, "client": at, "headers": headers, "root_path": root})


# Addresses.

# client, headers, the address
HOPS = [
    (STRANGER, [], STRANGER),
    (STRANGER, [(FOR, "1.1.1.1")], STRANGER),
    (STRANGER, [(FORWARDED, "for=1.1.1.1")], STRANGER),
    (PROXY, [], PROXY),
    (PROXY, [(FOR, "203.0.113.7")], "203.0.113.7"),
    (PROXY, [(FOR, "203.0.113.7:51234")], "203.0.113.7"),
    (PROXY, [(FOR, "[2001:db8::7]:51234")], "2001:db8::7"),
    (PROXY, [(FOR, "1.1.1.1, 203.0.113.7")], "203.0.113.7"),
    (PROXY, [(FOR, f"1.1.1.1, 203.0.113.7, {INNER}")], "203.0.113.7"),
    (PROXY, [(FOR, f"1.1.1.1, 203.0.113.7:4, {INNER}:50000")], "203.0.113.7"),
    (PROXY, [(FOR, "1.1.1.1"), (FOR, "203.0.113.7"), (FOR, INNER)], "203.0.113.7"),
    (PROXY, [(FOR, f"10.0.0.3,{INNER}")], "10.0.0.3"),
    (f"::ffff:{PROXY}", [(FOR, f"203.0.113.7, ::ffff:{INNER}")], "203.0.113.7"),
    ("fd00::1", [(FOR, "2001:db8::7")], "2001:db8::7"),
    ("::ffff:192.0.2.1", [], STRANGER),
    ("2001:db8::9%eth0", [], "2001:db8::9"),
    # Unreadable hops.
    (PROXY, [(FOR, "203.0.113.7, unknown")], PROXY),
    (PROXY, [(FOR, f"203.0.113.7, unknown, {INNER}")], INNER),
    (PROXY, [(FOR, "203.0.113.7, ")], PROXY),
    (PROXY, [(FOR, " , ,")], PROXY),
    (PROXY, [(FOR, "x" * 1000)], PROXY),
    (PROXY, [(FOR, "203.0.113.7\xff")], PROXY),
    # Forwarded.
    (PROXY, [(FORWARDED, "for=203.0.113.7")], "203.0.113.7"),
    (PROXY, [(FORWARDED, 'FOR="203.0.113.7:51234" ; proto=https;by=10.0.0.1')], "203.0.113.7"),
    (PROXY, [(FORWARDED, 'for="[2001:db8::7]:51234"')], "2001:db8::7"),
    (PROXY, [(FORWARDED, "for=1.1.1.1, for=203.0.113.7")], "203.0.113.7"),
    (PROXY, [(FORWARDED, f'for=1.1.1.1, for=203.0.113.7;ext="a, for=2.2.2.2", for={INNER}')], "203.0.113.7"),
    (PROXY, [(FORWARDED, "for=1.1.1.1"), (FORWARDED, "for=203.0.113.7")], "203.0.113.7"),
    (PROXY, [(FORWARDED, r'for="203\.0.113.7"')], "203.0.113.7"),
    (PROXY, [(FORWARDED, "for=203.0.113.7, for=_hidden")], PROXY),
    (PROXY, [(FORWARDED, "for=203.0.113.7, for=unknown")], PROXY),
    (PROXY, [(FORWARDED, "for=203.0.113.7, proto=https")], PROXY),
    (PROXY, [(FORWARDED, "for=203.0.113.7 proto=https")], PROXY),
    (PROXY, [(FORWARDED, "203.0.113.7")], PROXY),
    # A stranger's quotes do not reach what the proxy wrote.
    (PROXY, [(FORWARDED, 'for=1.1.1.1;x=", for=203.0.113.7')], "203.0.113.7"),
    (PROXY, [(FORWARDED, 'for=1.1.1.1;x=", for="[2001:db8::7]:1"')], "2001:db8::7"),
    (PROXY, [(FORWARDED, '"'), (FORWARDED, "for=203.0.113.7")], "203.0.113.7"),
    (PROXY, [(FORWARDED, 'for=1.1.1.1;x="\\, for=203.0.113.7')], "203.0.113.7"),
]


@pytest.mark.parametrize(("client", "sent", "address"), HOPS)
def test_the_address_is_the_nearest_hop_that_is_no_proxy(client: str, sent: list[Sent], address: str) -> None:
    assert peer(client, *sent).address == address


@pytest.mark.parametrize("network", ["::ffff:10.1.0.1", "::ffff:10.1.0.0/112", "10.1.0.1", "::/0,0.0.0.0/0"])
def test_a_proxy_is_trusted_however_its_network_is_written(network: str, site: Settings) -> None:
    site.TRUSTED_PROXIES = network.split(",")
    assert peer("10.1.0.1", (PROTO, "https")).scheme == "https"
    assert peer("::ffff:10.1.0.1", (PROTO, "https")).scheme == "https"


@pytest.mark.parametrize("client", [None, ("", 0), [None, None]])
def test_a_client_on_a_unix_socket_has_no_address(client: object, site: Settings) -> None:
    scope = {"client": client, "headers": [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")]}
    found = peer_of(dict(scope))
    assert (found.address, found.network, found.scheme) == ("", UNIX, "http")
    site.TRUSTED_PROXIES = [UNIX]
    found = peer_of(dict(scope))
    assert (found.address, found.network, found.scheme) == ("203.0.113.7", "203.0.113.7", "https")


@pytest.mark.parametrize("client", [STRANGER, "somebody"])
def test_a_name_that_is_no_address_is_no_unix_socket(client: str, site: Settings) -> None:
    site.TRUSTED_PROXIES = [UNIX]
    assert peer(client, (FOR, "203.0.113.7"), (PROTO, "https")).scheme == "http"


def test_without_trusted_proxies_nobody_is_believed(site: Settings) -> None:
    site.TRUSTED_PROXIES = []
    assert peer("127.0.0.1", (FOR, "1.1.1.1")).address == "127.0.0.1"
    assert peer(None, (FOR, "1.1.1.1")).address == ""


def test_only_headers_that_are_named_count(site: Settings) -> None:
    sent = ((FOR, "203.0.113.7"), (PROTO, "https"), (HOST, "other.example"), (PORT, "8443"), (PREFIX, "/chorus"))
    site.TRUSTED_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]
    found = peer(PROXY, *sent, (FORWARDED, "for=1.1.1.1;host=other.example"))
    assert (found.address, found.origin, found.prefix) == ("203.0.113.7", "https://chat.example", "")
    site.TRUSTED_HEADERS = ["forwarded"]
    found = peer(PROXY, *sent, (FORWARDED, "for=1.1.1.1;host=other.example"))
    assert (found.address, found.origin) == ("1.1.1.1", "http://other.example")
    site.TRUSTED_HEADERS = ["X-Forwarded-Proto"]
    found = peer(PROXY, *sent)
    assert (found.address, found.origin) == (PROXY, "https://chat.example")


# Origins.


@pytest.mark.parametrize(
    ("said", "origin"),
    [
        ("https", "https://chat.example"),
        ("wss", "https://chat.example"),
        ("HTTPS", "https://chat.example"),
        (" Wss ", "https://chat.example"),
        ("http", "http://chat.example"),
        ("ws", "http://chat.example"),
        ("", "http://chat.example"),
        ("gopher", "http://chat.example"),
        ("http, https", "https://chat.example"),
        ("https, http", "http://chat.example"),
    ],
)
def test_the_scheme_is_the_proxy_s_own_word(said: str, origin: str) -> None:
    assert peer(PROXY, (PROTO, said)).origin == origin
    assert peer(STRANGER, (PROTO, said)).origin == "http://chat.example"


def test_of_two_proxies_the_outer_one_saw_the_client() -> None:
    through = (FOR, f"203.0.113.7, {INNER}")
    assert peer(PROXY, through, (PROTO, "https, http")).scheme == "https"  # each added what it saw
    assert peer(PROXY, through, (PROTO, "http, https, http")).scheme == "https"  # after what a stranger wrote
    assert peer(PROXY, through, (PROTO, "https")).scheme == "https"  # the outer one's, or the inner one's alone
    assert peer(PROXY, through, (HOST, "evil.example, chat.example, other.example")).host == "chat.example"
    assert peer(PROXY, (FORWARDED, f"for=203.0.113.7;proto=https;host=other.example, for={INNER};proto=http")) == Peer(
        "203.0.113.7", "203.0.113.7", "https", "other.example", None, "", "other.example"
    )


# Host header, scheme, headers, the origin
PAGES = [
    ("chat.example", "ws", [], "http://chat.example"),
    ("Chat.Example:8000", "http", [], "http://chat.example:8000"),
    ("chat.example:80", "ws", [], "http://chat.example"),
    ("chat.example.", "ws", [], "http://chat.example."),
    ("chat.example.:8000", "ws", [], "http://chat.example.:8000"),
    ("chat.example:443", "wss", [], "https://chat.example"),
    ("chat.example:443", "ws", [], "http://chat.example:443"),
    ("[2001:db8::1]:8000", "ws", [], "http://[2001:db8::1]:8000"),
    ("chat.example", "ws", [(PROTO, "https"), (PORT, "8443")], "https://chat.example:8443"),
    ("chat.example", "ws", [(PROTO, "https"), (HOST, "chat.example:8443")], "https://chat.example:8443"),
    ("chat.example", "ws", [(PROTO, "https"), (HOST, "chat.example:8443"), (PORT, "1")], "https://chat.example:8443"),
    ("chat.example:9443", "ws", [(PROTO, "https"), (PORT, "8443")], "https://chat.example:9443"),
    ("chat.example", "ws", [(PROTO, "https"), (PORT, "80")], "https://chat.example"),
    ("chat.example", "ws", [(PROTO, "https"), (PORT, "443")], "https://chat.example"),
    ("chat.example", "ws", [(PROTO, "https"), (PORT, "8000, 8443")], "https://chat.example:8443"),
    ("backend:8000", "ws", [(HOST, "chat.example")], "http://chat.example"),
    ("chat.example", "ws", [(HOST, "evil.example, other.example")], "http://other.example"),
    ("chat.example", "ws", [(FORWARDED, 'host="other.example:8443";proto=wss')], "https://other.example:8443"),
    # What is no port.
    ("chat.example", "ws", [(PORT, "0")], "http://chat.example"),
    ("chat.example", "ws", [(PORT, "65536")], "http://chat.example"),
    ("chat.example", "ws", [(PORT, "-1")], "http://chat.example"),
    ("chat.example", "ws", [(PORT, "9" * 5000)], "http://chat.example"),
    ("chat.example:65536", "ws", [], None),
    ("chat.example:" + "9" * 5000, "ws", [], None),
    # What is not ours, wherever it came from.
    ("evil.example", "ws", [], None),
    ("chat.example", "ws", [(HOST, "evil.example")], None),
    ("evil.example", "ws", [(PROTO, "https"), (PORT, "443")], None),
    ("chat.example", "ws", [(FORWARDED, "host=evil.example")], None),
    ("chat.example@evil.example", "ws", [], None),
    ("chat.example/evil", "ws", [], None),
    ("", "ws", [], None),
]


@pytest.mark.parametrize(("host", "scheme", "sent", "origin"), PAGES)
def test_our_own_origin_is_how_the_client_reached_us(
    host: str, scheme: str, sent: list[Sent], origin: str | None
) -> None:
    assert peer(PROXY, *sent, host=host, scheme=scheme).origin == origin


def test_two_hosts_are_none() -> None:
    assert peer(STRANGER, ("host", "chat.example")).origin is None


def test_a_host_that_is_not_ours_is_kept_to_be_refused() -> None:
    assert peer(PROXY, (HOST, "evil.example")).asked == "evil.example"


# Where the site is.

PREFIXES = {
    "/chorus": "/chorus",
    "/chorus/": "/chorus",
    "/a/b-c_d.e~1": "/a/b-c_d.e~1",
    "/evil, /chorus": "/chorus",
    "": "",
    "/": "",
    "chorus": "",
    "//evil.example": "",
    "/\\evil.example": "",
    "/a//b": "",
    "/../admin": "",
    "/a/..": "",
    "/./a": "",
    '/"><script>': "",
    "/a?b": "",
    "https://evil.example/": "",
    "/%2e%2e": "",
    "/..a": "/..a",
}


@pytest.mark.parametrize(("said", "prefix"), PREFIXES.items())
def test_a_prefix_is_a_path_of_this_site(said: str, prefix: str) -> None:
    assert peer(PROXY, (PREFIX, said)).prefix == prefix
    assert peer(STRANGER, (PREFIX, said)).prefix == ""


def test_a_server_s_root_path_is_one_and_the_setting_wins(site: Settings) -> None:
    assert peer(STRANGER, root="/below").prefix == "/below"
    assert peer(PROXY, (PREFIX, "/chorus"), root="/below").prefix == "/chorus"
    site.FORCE_SCRIPT_NAME = "/forced/"
    assert peer(PROXY, (PREFIX, "/chorus"), root="/below").prefix == "/forced"


# Its cost.


def test_it_is_worked_out_once() -> None:
    scope: dict[str, object] = {"client": (STRANGER, 1), "headers": [(b"host", b"chat.example")]}
    assert peer_of(scope) is peer_of(scope)


@pytest.mark.parametrize("text", ['"', '\\"', '",', ";", "a=", 'a="', " ", "for=1,", "10.0.0.3,", "[", ":"])
def test_no_header_takes_long_to_read(text: str) -> None:
    long = text * (64_000 // len(text))
    begun = time.process_time()
    for name in READABLE:
        peer(PROXY, (name.lower(), long))
    assert time.process_time() - begun < 2
