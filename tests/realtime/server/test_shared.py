"""What all connections of a server share is there once."""

import uvicorn
from uvicorn.server import ServerState

from realtime.asgi import unknown_route
from realtime.server.shared import shared_by


def configured(**options: object) -> uvicorn.Config:
    config = uvicorn.Config(unknown_route, log_config=None, ws="none", **options)  # type: ignore[arg-type]
    config.load()
    return config


def test_connections_of_one_server_share_it() -> None:
    config, state = configured(), ServerState()
    assert shared_by(config, state) is shared_by(config, state)
    assert shared_by(config, state) is not shared_by(config, ServerState())


def test_it_is_the_server_s_configuration_and_state() -> None:
    config, state = configured(ws_max_size=77, ws_ping_interval=3.0, ws_ping_timeout=None), ServerState()
    shared = shared_by(config, state)
    assert (shared.max_size, shared.ping_interval, shared.ping_timeout) == (77, 3.0, None)
    assert (shared.connections, shared.tasks) == (state.connections, state.tasks)
