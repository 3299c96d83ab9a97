"""Topics and notifications over HTTP: parse, do what a socket does, reply. Also as server-sent events."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router
from pydantic import Field

from notifications import events
from notifications.consumers import NotificationsConsumer
from notifications.models import ME, Notification, Topic, known_as
from notifications.positions import Positions
from notifications.publishing import published
from realtime import db
from realtime.access import Identity
from realtime.http import (
    ERRORS,
    GUESTS_TOO,
    NAME,
    ApiRequest,
    Asked,
    Page,
    append,
    command_in,
    header_text,
    open_stream,
    read_body,
    read_object,
    readable,
    reply,
    reply_page,
    respond,
    takes,
)
from realtime.people import ids_of
from realtime.protocol import Epoch, Payload, PersonInfo, Refused, Sequence
from realtime.streams import unpruned
from realtime.texts import LONGEST_TEXT

router = Router(tags=["Notifications"])
TOPIC = rf"({NAME}|@[^,\u0000-\u001f\u007f-\u009f]{{1,150}})"
Addressed = Annotated[events.TopicName, Field(json_schema_extra={"pattern": f"^{TOPIC}$"})]
"""A topic in an address: its name, `me`, or `@` and a user name."""
Several = Annotated[str, Field(max_length=2**12, json_schema_extra={"pattern": f"^{TOPIC}(,{TOPIC})*$"})]
"""Topics in an address, separated by commas; percent-encoded, whatever they are, they fit into 64 KB of a request."""


class TopicInfo(Payload):
    """A topic."""

    name: str
    title: str
    description: str
    seq: Sequence
    """Its last position."""


class TopicList(Payload):
    """The topics that whoever asks may subscribe to."""

    topics: list[TopicInfo]


class RetractedNotification(events.Tombstone):
    """A deleted notification; OpenAPI wants a name that chat does not have."""


Deleted = RetractedNotification | events.RetractedEvent
"""What stands where a notification was, and what took it back."""


class Notifications(Page):
    """What was published to a topic."""

    topic: str
    messages: list[events.NotificationEvent | Deleted]


class Receipt(events.NotificationEvent):
    """A notification, and who has seen it."""

    acknowledged_by: list[str] | None = None
    """User names; guests are not told."""
    people: list[PersonInfo] | None = None
    """The same people, in the same order, by what others know them by."""


@router.get("/", response={200: TopicList, **ERRORS}, openapi_extra=GUESTS_TOO)
async def list_topics(request: ApiRequest) -> HttpResponse:
    """The topics that you may subscribe to; your own is `me`."""
    return reply(TopicList(topics=await db.run_apart(_list_topics, request.auth)))


def _list_topics(identity: Identity) -> list[TopicInfo]:
    topics = readable(Topic, identity)
    if identity.user is not None:
        own = Topic.objects.open(ME, identity)
        topics += [own] if identity.has_scope("read", own) else []
    return [
        TopicInfo(name=topic.public_name, title=str(topic), description=topic.description, seq=topic.last_seq)
        for topic in topics
    ]


# Server-sent events. These addresses come first: `stream` would else be taken for a topic or a position.

EVENT = {
    "type": "object",
    "properties": {
        "event": {"enum": sorted({event.model_fields["type"].default for event in events.EVENTS})},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string"},
    },
    "required": ["event", "data"],
}
"""One event of a stream (`itemSchema` is OpenAPI 3.2's)."""
STREAM = {
    **GUESTS_TOO,
    "responses": {
        200: {
            "description": "What a socket is told: `event:` has the type, `data:` the JSON, `id:` is what "
            "`Last-Event-ID` resumes after.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "itemSchema": EVENT}},
        }
    },
}


class From(Payload):
    """Where a stream begins, unless `Last-Event-ID` says it."""

    since: Sequence | None = None
    epoch: Epoch | None = None


@router.get("/stream", response={200: None, **ERRORS}, openapi_extra=STREAM)
async def stream_topics(request: ApiRequest, topics: Several) -> StreamingHttpResponse:
    """Several topics at once, separated by commas, as server-sent events."""
    return await _stream(request, [name.strip() for name in topics.split(",") if name.strip()], {})


@router.get("/{topic}/stream", response={200: None, **ERRORS}, openapi_extra=STREAM)
async def stream_topic(request: ApiRequest, topic: Addressed, start: Query[From]) -> StreamingHttpResponse:
    """A topic as server-sent events, from now on or after a position."""
    since = {} if start.since is None else {topic: events.Cursor(seq=start.since, epoch=start.epoch)}
    return await _stream(request, [topic], since)


async def _stream(request: ApiRequest, topics: list[str], since: dict[str, events.Cursor]) -> StreamingHttpResponse:
    """Subscribe as a socket does."""
    if last := header_text(request, "Last-Event-ID"):
        since = Positions.read(last)
    cursors = {known_as(name, request.auth): cursor for name, cursor in since.items()}
    asked = {
        "topics": [known_as(name, request.auth) for name in topics],
        "since": {name: cursor.model_dump(exclude_none=True) for name, cursor in cursors.items()} or None,
    }
    subscribe = command_in(request, events.Subscribe, asked)
    return await respond(request, request.auth, NotificationsConsumer(makes=False), subscribe, Positions(cursors).after)


# Topics and notifications.


@router.get("/{topic}/", response={200: Notifications, **ERRORS}, openapi_extra=GUESTS_TOO)
async def list_notifications(request: ApiRequest, topic: Addressed, asked: Query[Asked]) -> HttpResponse:
    """What was published, oldest first: the newest, those after a position, or those before one."""
    found = await db.run(open_stream, Topic, topic, request.auth, "read")
    return await reply_page(request, Notifications, found, asked, topic=found.public_name)


HEADERS = ("Title", "Priority", "Tags")
"""What a bare body cannot say."""
PUBLISH = takes(events.Publish, "Idempotency-Key", *HEADERS, addressed=("topic",))
PUBLISH["requestBody"]["content"]["text/plain"] = {
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
}


@router.post("/{topic}/", response={200: events.Published, 201: events.Published, **ERRORS}, openapi_extra=PUBLISH)
async def publish(request: ApiRequest, topic: Addressed) -> HttpResponse:
    """Tell all who subscribed, in JSON; under any other content type the body is the message as it is.

    Then the headers `Title`, `Priority` and `Tags` (separated by commas) say the rest. The answer is 200
    where `Idempotency-Key` was used before.
    """
    said = command_in(request, events.Publish, {**_said(request), "topic": topic})
    found = await db.run(open_stream, Topic, topic, request.auth, "write")
    appended = append(request, found, Notification.saying(request.auth, said.draft()))
    answer = await published(said, found, said.topic, appended)
    return reply(answer, 200 if answer.duplicate else 201)


def _said(request: HttpRequest) -> dict[str, Any]:
    """The fields of the command, from JSON or from the bare body and the headers."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return read_object(request)
    try:
        said: dict[str, Any] = {"message": read_body(request).decode()}
    except UnicodeDecodeError:
        expected = "expected text in UTF-8"
        raise Refused("invalid", f"message: {expected}", fields={"message": expected}) from None
    if title := header_text(request, "Title"):
        said["title"] = title
    if tags := header_text(request, "Tags"):
        said["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if priority := header_text(request, "Priority"):
        whole = len(priority) < 10 and priority.isascii() and priority.isdecimal()
        said["priority"] = int(priority) if whole else priority
    return said


@router.get("/{topic}/{seq}/", response={200: Receipt | Deleted, **ERRORS}, openapi_extra=GUESTS_TOO)
async def get_notification(request: ApiRequest, topic: Addressed, seq: Sequence) -> HttpResponse:
    """A notification, and who has acknowledged it."""
    return reply(await db.run_apart(_receipt, topic, seq, request.auth))


def _receipt(name: str, seq: int, identity: Identity) -> Payload:
    topic = open_stream(Topic, name, identity, "read")
    found: Notification | None = topic.appended().filter(unpruned, seq=seq).select_related("stream").first()
    if found is None:
        raise Refused("not_found", "There is no such notification.")
    event = found.as_event()
    if not isinstance(event, events.NotificationEvent) or identity.user is None:
        return event
    users = [cursor.user for cursor in found.acknowledged_by().select_related("user").order_by("user_id")]
    seen_by = [Identity.of_user(user) for user in users]
    ids = ids_of({each.key for each in seen_by})
    return Receipt(
        **event.model_dump(),
        acknowledged_by=[each.name for each in seen_by],
        people=[PersonInfo(id=ids[each.key], name=each.name) for each in seen_by],
    )
