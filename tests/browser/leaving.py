"""Whether a page asks before it is left."""

from playwright.sync_api import Page


def asks(page: Page) -> bool:
    """Whether the browser would ask; the page stays."""
    script = "() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    asked: bool = page.evaluate(script)
    return asked
