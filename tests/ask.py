"""One way for tests to ask the HTTP API, through the real application, without a server.

answer = await ask("POST", "/api/chat/lobby/messages/", json={"text": "Hi"}, secret=secret)
assert answer.status == 201
"""

import json as json_module
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import AsyncClient

Json = Any


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    response: HttpResponse

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def json(self) -> Json:
        """The body."""
        return json_module.loads(self.response.content)

    @property
    def error(self) -> tuple[int, str]:
        """The status, and the error's code."""
        return self.status, self.json["code"]


async def ask(
    method: str,
    path: str,
    *,
    json: Json = None,
    body: bytes | str = b"",
    content_type: str = "application/x-www-form-urlencoded",
    secret: str | None = None,
    headers: dict[str, str] | None = None,
    client: AsyncClient | None = None,
) -> Answer:
    """Ask as curl does: with a JSON or bare body, as a guest or by a token's `secret`."""
    if json is not None:
        body, content_type = json_module.dumps(json), "application/json"
    sent = dict(headers or {})
    if secret is not None:
        sent["Authorization"] = f"Bearer {secret}"
    client = client or AsyncClient()
    response = await client.generic(method, path, body, content_type, headers=sent)
    return Answer(response)  # type: ignore[arg-type]  # the stubs have a class of their own
