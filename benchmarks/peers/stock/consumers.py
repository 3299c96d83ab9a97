"""Consumers as the tutorial of Channels writes them: asynchronous, JSON, a group of the channel layer for a room."""

import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db.models import F

from benchmarks.peers.stock.models import Counter, Message


class RoomConsumer(AsyncWebsocketConsumer):
    """Part 3 of the tutorial: what one says goes to all."""

    async def connect(self) -> None:
        """Join the room."""
        await self.channel_layer.group_add("chat_lobby", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave it."""
        await self.channel_layer.group_discard("chat_lobby", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Tell the room."""
        message = json.loads(text_data or "{}")["message"]
        await self.channel_layer.group_send("chat_lobby", {"type": "chat.message", "message": message})

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Be told."""
        await self.send(text_data=json.dumps({"message": event["message"]}))


class EchoConsumer(AsyncWebsocketConsumer):
    """What comes goes back."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Send back."""
        await self.send(text_data=text_data)


class StoreConsumer(AsyncWebsocketConsumer):
    """One row, so one transaction, for each message; answers its sender and tells nobody else."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Store."""
        said = json.loads(text_data or "{}")
        await Message.objects.acreate(room="lobby", sender=self.scope["user"].username, text=said["text"])
        await self.send(text_data=json.dumps({"id": said["id"]}))


class ClickConsumer(AsyncWebsocketConsumer):
    """One transaction for each click; answers its sender and tells nobody else."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Count."""
        click = json.loads(text_data or "{}")
        value = await database_sync_to_async(add)(click["delta"])
        await self.send(text_data=json.dumps({"id": click["id"], "value": value}))


def add(delta: int) -> int:
    """Add to the counter; returns its value."""
    Counter.objects.filter(pk=1).update(value=F("value") + delta)
    value: int = Counter.objects.values_list("value", flat=True).get(pk=1)
    return value
