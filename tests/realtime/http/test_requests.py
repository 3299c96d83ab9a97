"""What a request has to be to be read."""

import pytest
from pytest_django import Settings

from chat.models import Room
from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)

SAY = "/api/chat/lobby/messages/"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"text": NaN}', b"[" * 5000])
async def test_what_is_no_json_object_is_told(lobby: Room, body: bytes) -> None:
    assert (await ask("POST", SAY, body=body)).error == (400, "bad_json")


async def test_a_wrong_field_is_named(lobby: Room) -> None:
    answer = await ask("POST", SAY, json={"text": 5})
    assert answer.error == (400, "invalid")
    assert "text" in answer.json["fields"]


async def test_a_body_as_big_as_no_frame_may_be_is_refused(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_MAX_FRAME_BYTES = 100
    assert (await ask("POST", SAY, json={"text": "x" * 100})).error == (413, "too_long")


async def test_a_body_that_django_would_not_read_is_refused(lobby: Room, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert (await ask("POST", SAY, json={"text": "x" * 100})).error == (413, "too_long")
