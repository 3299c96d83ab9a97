"""Peers in other languages pass on what is published, and each message is counted once, however they pack it."""

import pytest

from benchmarks import others
from benchmarks.load.generator import Load
from benchmarks.load.patterns import fan_out, ping_pong
from benchmarks.others import OTHERS, Other, installed, versions
from benchmarks.servers import PRODUCTION

HERE = [pytest.param(other, id=other.name, marks=pytest.mark.process) for other in OTHERS]


def needed(other: Other) -> Other:
    """One that is installed, or the test is skipped."""
    if other.reason:
        pytest.skip(f"{other.name}: {other.reason}")
    return other


@pytest.mark.parametrize("other", HERE)
def test_every_subscriber_has_every_message_once(other: Other) -> None:
    with needed(other).running() as target, Load() as load:
        readers = target.open(load, "broadcast", 3)
        load.wait_quiet()
        before = [each.received for each in readers]
        fan_out(load, target.pid, readers, target.payload, 8, 0.1)
        load.wait_quiet()
        received = [each.received - had for each, had in zip(readers, before, strict=True)]
    assert received[0] > 8
    assert len(set(received)) == 1


@pytest.mark.parametrize("other", [case for case in HERE if "echo" in case.values[0].paths])  # type: ignore[union-attr]
def test_what_has_an_echo_answers_its_sender_alone(other: Other) -> None:
    with needed(other).running() as target, Load() as load:
        sender, silent = target.open(load, "echo", 2)
        load.wait_quiet()
        before = silent.received
        per_second, _ = ping_pong(load, target.pid, [sender], target.echo, 0.1)
    assert per_second > 0
    assert silent.received == before


def test_what_is_not_installed_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(others, "ADMINISTRATORS_PATH", "/nowhere")
    others.node_modules.cache_clear()
    assert not installed("broadcast")
    assert versions()["NATS"] == "left out: not installed (Debian: apt-get install nats-server)"
    assert versions()["ws (Node.js)"] == "left out: not installed (npm install --global ws)"
    others.node_modules.cache_clear()


def test_limits_are_the_default_unless_a_row_raises_them() -> None:
    assert not [name for name in PRODUCTION if name.startswith("CHORUS_")]
