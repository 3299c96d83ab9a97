"""The tutorial's page of ten lines, opened from disk, with only its address changed."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.processes import Server

PAGE = """<!doctype html>
<ul id="times"></ul>
<script>
  const socket = new WebSocket("ADDRESS");
  socket.onmessage = (event) => {
    const line = document.createElement("li");
    line.textContent = event.data;
    document.getElementById("times").append(line);
  };
</script>
"""


def test_a_page_from_disk_appends_the_time(browser: Browser, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "time.html"
    file.write_text(PAGE.replace("ADDRESS", f"{server.ws}/ws/time/"))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(file.as_uri())
        expect(page.locator("li").nth(1)).to_be_visible(timeout=10_000)
        assert all(text.endswith("Z") for text in page.locator("li").all_inner_texts())
