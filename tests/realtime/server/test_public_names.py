"""What is relied on of Uvicorn and of `websockets` is public: a minor release of theirs breaks nothing here."""

import ast
import importlib
from collections.abc import Iterator

import pytest
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from realtime.asgi import unknown_route
from tests.test_imports import ROOT

RELIED_ON = {
    "uvicorn.config": {"Config", "STARTUP_FAILURE"},
    "uvicorn.server": {"Server", "ServerState"},
    "uvicorn.supervisors": {"ChangeReload", "Multiprocess"},
    "uvicorn.protocols.http.httptools_impl": {"HttpToolsProtocol"},
    "uvicorn.protocols.utils": {"ClientDisconnected"},
    "websockets.exceptions": {"ProtocolError"},
    "websockets.frames": {"Close"},
    "websockets.speedups": {"apply_mask"},
    "websockets.utils": {"apply_mask"},
}
"""Names by module."""

HTTP_ATTRIBUTES = {
    *("app_state", "client", "config", "connections", "cycle", "flow", "headers", "loop", "parser", "pipeline"),
    *("scope", "server_state", "timeout_keep_alive", "transport", "ws_protocol_class"),
    *("connection_lost", "connection_made", "data_received", "on_header", "on_headers_complete", "on_message_begin"),
    *("on_message_complete", "on_response_complete", "on_url", "resume_writing"),
    "timeout_keep_alive_handler",
}
"""What our classes of HTTP use, or put in the place, of what their base class has."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    """The modules of `realtime`."""
    for path in sorted((ROOT / "realtime").rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imports() -> Iterator[tuple[str, str, str]]:
    """Where something of theirs is imported, from which of their modules, and what."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.ImportFrom)
                and node.module
                and node.module.split(".")[0] in {"uvicorn", "websockets"}
            ):
                yield from ((path, node.module, name.name) for name in node.names)
            elif isinstance(node, ast.Import):
                yield from (
                    (path, each.name, "") for each in node.names if each.name.split(".")[0] in {"uvicorn", "websockets"}
                )


def test_all_that_is_relied_on_stands_here() -> None:
    found: dict[str, set[str]] = {}
    for _, module, name in imports():
        found.setdefault(module, set()).add(name)
    assert found == RELIED_ON


def test_none_of_it_is_private() -> None:
    assert [each for each in imports() if any(part.startswith("_") for part in (*each[1].split("."), each[2]))] == []


@pytest.mark.parametrize("module", RELIED_ON)
def test_it_is_there(module: str) -> None:
    there = importlib.import_module(module)
    assert {name for name in RELIED_ON[module] if not hasattr(there, name)} == set()


async def test_of_its_http_class_no_more_is_used() -> None:
    config = Config(unknown_route, ws="none")
    theirs = {*dir(HttpToolsProtocol), *vars(HttpToolsProtocol(config, ServerState(), {}))} - set(dir(object))
    ours = [ROOT / "realtime/server/http.py", ROOT / "realtime/server/timed_http.py"]
    tree = ast.Module([ast.parse(path.read_text()) for path in ours], [])  # type: ignore[misc]
    named = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    }
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert (named | defined) & theirs == HTTP_ATTRIBUTES
