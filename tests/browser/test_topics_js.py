"""Many streams over one socket (topics.js) against a server played by the test."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.played import Json, Played, play, wait_for, wait_for_command

CONNECT = """
async () => {
  const { connectTopics } = await import("/static/realtime/connection/topics.js");
  window.seen = [];
  window.statuses = [];
  window.topics = connectTopics("/ws/played/", { entries: ["report", "retracted"], what: "report" });
  for (const type of ["begin", "ended", "refused", "report", "retracted", "acked", "error"])
    topics.on(type, (event) => seen.push(event));
  topics.onStatus((status) => statuses.push(status));
}
"""


class Topics(Played):
    """Answers each `subscribe`: streams stand where `at` says, and `told` follows."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = self.take
        self.at: dict[str, int] = {}
        self.told: list[Json] = []
        self.refuses: set[str] = set()

    def take(self, command: Json) -> Json | None:
        if command["action"] != "subscribe":
            return None
        if refused := self.refuses & set(command["topics"]):
            about = {"code": "forbidden", "message": f"{min(refused)}: Not for you.", "id": command["id"]}
            return {"type": "error", **about}
        streams = {name: begun(self.at.get(name, 0)) for name in command["topics"]}
        self.send({"type": "subscribed", "topics": [*streams], "streams": streams, "id": command["id"]})
        for event in self.told:
            self.send(event)
        return None


def begun(seq: int, *, recovered: bool = True, epoch: str = "e1") -> Json:
    return {"seq": seq, "epoch": epoch, "recovered": recovered}


def report(seq: int, topic: str = "a", **more: object) -> Json:
    return {"type": "report", "topic": topic, "seq": seq, **more}


@pytest.fixture
def topics(visit: Visit) -> tuple[Page, Topics]:
    """Connected, following nothing yet."""
    page, server = visit("/"), Topics()
    play(page, server)
    page.evaluate(CONNECT)
    wait_for(page, "topics.status.state === 'connected'")
    return page, server


def follow(page: Page, name: str, since: Json | None = None) -> None:
    page.evaluate("([name, since]) => topics.subscribe({ [name]: since ?? undefined })", [name, since])
    wait_for(page, f"seen.some(({{ type, topic }}) => type === 'begin' && topic === '{name}')")


def told(page: Page, *fields: str) -> list[list[object]]:
    found: list[list[object]] = page.evaluate(
        "(fields) => seen.filter(({ type }) => type === 'report').map((event) => fields.map((name) => event[name]))",
        [*fields],
    )
    return found


def test_what_was_missed_is_asked_for_told_once_and_counted(topics: tuple[Page, Topics]) -> None:
    page, server = topics
    server.at = {"a": 2, "b": 1}
    follow(page, "a")
    follow(page, "b")
    server.send(report(3))
    server.send(report(3))
    wait_for(page, "seen.length === 3")
    server.at = {"a": 6, "b": 2}
    retracted = {"type": "retracted", "topic": "a", "seq": 5, "target": 1}
    server.told = [report(4), retracted, report(6, deleted=True), report(2, "b"), report(7)]
    server.close(1012, "retry_after=0.1")
    wait_for(page, "seen.at(-1).seq === 7")
    assert server.received[-1]["since"] == {"a": {"seq": 3, "epoch": "e1"}, "b": {"seq": 1, "epoch": "e1"}}
    expected = [["a", 3, False], ["a", 4, True], ["a", 6, True], ["b", 2, True], ["a", 7, False]]
    assert told(page, "topic", "seq", "replayed") == expected
    assert page.evaluate("topics.status.text") == "Back online. 2 missed reports caught up."


def test_a_published_entry_is_ours_and_does_not_answer(topics: tuple[Page, Topics]) -> None:
    page, server = topics
    follow(page, "a")
    page.evaluate("() => { topics.publish({ topic: 'a' }).then((event) => seen.push(event)); }")
    wait_for_command(page, server, count=2)
    published = server.received[1]["id"]
    server.send(report(1, id=published))
    server.send(report(2, id="another"))
    wait_for(page, "seen.length === 3")
    assert told(page, "seq", "ours") == [[1, True], [2, False]]
    server.send({"type": "published", "topic": "a", "seq": 1, "id": published})
    wait_for(page, "seen.at(-1).type === 'published'")


def test_a_live_entry_after_a_replay_without_its_end_is_live(topics: tuple[Page, Topics]) -> None:
    page, server = topics
    server.at = {"a": 9}
    server.told = [report(7)]
    follow(page, "a", {"seq": 6, "epoch": "e1"})
    server.send(report(10))
    wait_for(page, "seen.length === 3")
    assert told(page, "seq", "replayed") == [[7, True], [10, False]]


def test_a_topic_that_is_refused_refuses_no_other(topics: tuple[Page, Topics]) -> None:
    page, server = topics
    server.refuses = {"b"}
    page.evaluate("topics.subscribe({ a: undefined, b: undefined })")
    wait_for(page, "seen.at(-1)?.type === 'refused'")
    assert page.evaluate("seen.at(-1)") == {"type": "refused", "topic": "b", "message": "Not for you."}
    assert page.evaluate("seen.filter(({ type }) => type === 'begin').map(({ topic }) => topic)") == ["a"]
    assert page.evaluate("topics.names") == ["a"]


def test_whatever_else_the_server_says_can_be_heard(topics: tuple[Page, Topics]) -> None:
    page, server = topics
    server.send({"type": "acked", "topic": "a", "seq": 1})
    wait_for(page, "seen.some(({ type }) => type === 'acked')")
