"""Peers in other languages, each as its own documentation sets it up; what is not installed here is left out.

And one of ours, the least that a server can do, to see what of a figure is the kernel's.

Brokers are spoken to by WebSocket, as from a browser, in their own protocol: NATS and MQTT 3.1.1, at most once.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.compiled import MISSING, compiler, program
from benchmarks.load.wire import BINARY, PLAIN, Speech, client_frame
from benchmarks.servers import MESSAGE_BYTES, Command, Target, started
from tests.processes import free_port

PEERS = Path(__file__).parent / "peers"
LEAST = "Least, in C"
"""The server that does as good as nothing but what the kernel costs."""
ADMINISTRATORS_PATH = "/usr/sbin"
"""Where Debian keeps programs that are for administrators."""
NGINX_MODULES = Path("/usr/lib/nginx/modules")
TEXT = "x" * MESSAGE_BYTES
FAN_OUT = ("broadcast", "login", "room")
"""Kinds of work for which a connection in the one group there is will do."""


def _program(name: str) -> str | None:
    """A program on the path, or among those for administrators."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{ADMINISTRATORS_PATH}")


def _first_number(*command: str) -> str:
    """The version that a program prints, on either stream."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).replace("/", " ").replace("v", " ").split()
    return next((word.strip(",") for word in words if word[0].isdigit()), "?")


def _debian(name: str, package: str) -> Callable[[], str]:
    def found() -> str:
        program = _program(name)
        if program is None:
            raise LookupError(f"not installed (Debian: apt-get install {package})")
        return _first_number(program, "-v" if name == "nats-server" else "-h")

    return found


def _nchan_version() -> str:
    program = _program("nginx")
    if program is None or not (NGINX_MODULES / "ngx_nchan_module.so").exists():
        raise LookupError("not installed (Debian: apt-get install libnginx-mod-nchan)")
    return f"in nginx {_first_number(program, '-v')}"


@cache
def node_modules() -> Path | None:
    """Where npm keeps what was installed for all (`npm install --global`)."""
    if _program("npm") is None or _program("node") is None:
        return None
    done = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip())


def _npm(name: str) -> Callable[[], str]:
    def found() -> str:
        modules = node_modules()
        if modules is None or not (modules / name / "package.json").exists():
            raise LookupError(f"not installed (npm install --global {name})")
        return _first_number("node", "-p", f"'v'+require('{modules}/{name}/package.json').version")

    return found


def _compiler_version() -> str:
    cc = compiler()
    if cc is None:
        raise LookupError(MISSING)
    return f"cc {subprocess.run([cc, '-dumpfullversion'], capture_output=True, text=True, check=False).stdout.strip()}"


def _least(port: int, _: Path) -> list[str]:
    return [str(program(PEERS / "least.c")), str(port)]


def _nginx(port: int, directory: Path) -> list[str]:
    """One worker. A location that publishes and subscribes, as the page of nchan has it."""
    text = f"""
        load_module {NGINX_MODULES}/ngx_nchan_module.so;
        daemon off;
        worker_processes 1;
        worker_rlimit_nofile 20000;
        pid {directory}/nginx.pid;
        error_log {directory}/error.log;
        events {{ worker_connections 19900; }}
        http {{
            access_log off;
            client_body_temp_path {directory}/body;
            server {{
                listen 127.0.0.1:{port} backlog=2048;
                location = /lobby {{ nchan_pubsub websocket; nchan_channel_id lobby; }}
            }}
        }}"""
    return [_program("nginx") or "nginx", "-c", str(_written(directory / "nginx.conf", text))]


def _nats(port: int, directory: Path) -> list[str]:
    text = f"""
        listen: "127.0.0.1:-1"
        websocket {{ listen: "127.0.0.1:{port}", no_tls: true }}"""
    return [_program("nats-server") or "nats-server", "-c", str(_written(directory / "nats.conf", text))]


def _mosquitto(port: int, directory: Path) -> list[str]:
    # With a listener for WebSocket alone the version of Debian 12 does not start.
    plain = f"listener {free_port()} 127.0.0.1\n"
    text = f"allow_anonymous true\n{plain}listener {port}\nprotocol websockets\n"
    return [_program("mosquitto") or "mosquitto", "-c", str(_written(directory / "mosquitto.conf", text))]


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _node(script: str) -> Command:
    return lambda port, _: [_program("node") or "node", str(PEERS / "node" / script), str(port)]


def nats_speech() -> tuple[str, Speech]:
    """What publishes a message on NATS, and how its clients speak: `CONNECT`, `SUB`, `PUB`, `MSG`."""
    greeting = b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB lobby 1\r\n'
    published = f"PUB lobby {MESSAGE_BYTES}\r\n{TEXT}\r\n"
    delivered = f"MSG lobby 1 {MESSAGE_BYTES}\r\n{TEXT}\r\n"
    return published, Speech(client_frame(greeting, BINARY), BINARY, len(delivered))


def mqtt_speech() -> tuple[bytes, Speech]:
    """What publishes a message by MQTT 3.1.1 at quality of service 0 (§3.3), and how its clients speak."""
    topic = b"\x00\x05lobby"
    connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"  # §3.1: clean session, no keep-alive, no name
    subscribe = bytes((0x82, 2 + len(topic) + 1)) + b"\x00\x01" + topic + b"\x00"  # §3.8
    rest = topic + TEXT.encode()
    published = bytes((0x30, len(rest) % 128 | 0x80, len(rest) // 128)) + rest
    greeting = client_frame(connect, BINARY) + client_frame(subscribe, BINARY)
    return published, Speech(greeting, BINARY, len(published))


@dataclass(frozen=True, slots=True)
class Other:
    """A peer and how it is started."""

    name: str
    version: Callable[[], str]
    """Raises LookupError with the reason where it is not installed."""
    command: Command
    paths: Mapping[str, str]
    payload: str | bytes = TEXT
    echo: str = TEXT
    speech: Speech = PLAIN
    lines: str = ""

    @property
    def reason(self) -> str:
        """Why it is left out; empty where it is not."""
        try:
            self.version()
        except LookupError as missing:
            return str(missing)
        return ""

    @contextmanager
    def running(self) -> Iterator[Target]:
        """The server, until it is not needed."""
        env = {"PATH": os.environ.get("PATH", ""), "NODE_PATH": str(node_modules() or "")}
        with started(self.name, self.command, self.paths, env) as target:
            target.lines, target.speech = self.lines, self.speech
            target.payload, target.echo = self.payload, self.echo
            yield target


def _others() -> list[Other]:
    nats, nats_clients = nats_speech()
    mqtt, mqtt_clients = mqtt_speech()
    group = {"echo": "/echo", **dict.fromkeys(FAN_OUT, "/")}
    engine = "/socket.io/?EIO=4&transport=websocket"
    return [
        Other(LEAST, _compiler_version, _least, group),
        Other("nginx, nchan", _nchan_version, _nginx, dict.fromkeys(FAN_OUT, "/lobby")),
        Other(
            "NATS",
            _debian("nats-server", "nats-server"),
            _nats,
            dict.fromkeys(FAN_OUT, "/"),
            payload=nats,
            speech=nats_clients,
        ),
        Other(
            "Mosquitto",
            _debian("mosquitto", "mosquitto"),
            _mosquitto,
            dict.fromkeys(FAN_OUT, "/mqtt"),
            payload=mqtt,
            speech=mqtt_clients,
            lines="Sec-WebSocket-Protocol: mqtt\r\n",
        ),
        Other("ws (Node.js)", _npm("ws"), _node("ws.cjs"), group),
        Other(
            "Socket.IO",
            _npm("socket.io"),
            _node("socket_io.cjs"),
            dict.fromkeys(("echo", *FAN_OUT), engine),
            payload=f'42["chat message","{TEXT}"]',
            echo=f'42["echo","{TEXT}"]',
            speech=Speech(client_frame("40")),
        ),
    ]


OTHERS = _others()


def installed(work: str, *names: str) -> list[Callable[[], AbstractContextManager[Target]]]:
    """Those that can do that kind of work and are installed here; of those with these names, if there are any."""
    able = [other for other in OTHERS if work in other.paths and (other.name in names or not names)]
    return [other.running for other in able if not other.reason]


def enter_all(stack: ExitStack, work: str) -> list[Target]:
    """Start them all."""
    return [stack.enter_context(start()) for start in installed(work)]


def versions() -> dict[str, str]:
    """Which version of each is here, or why it is left out."""
    return {other.name: f"left out: {other.reason}" if other.reason else other.version() for other in OTHERS}
