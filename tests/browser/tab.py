"""A browser window and its tabs, with the words of a chat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.live.hub import Hub

#: Reports what the policy of the page forbade in words that stand out.
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI} in ${event.sourceFile}`);
});
"""

#: A page that was left while its socket was still connecting.
_LEFT_EARLY = "WebSocket is closed before the connection is established"


@dataclass  # without slots: Playwright keeps its handlers on the object
class Window:
    """One profile: its own cookies, any number of tabs. ``expected``: patterns of trouble that belongs to the test."""

    context: BrowserContext
    hub: Hub
    origin: str
    touch: bool = False
    trouble: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [_LEFT_EARLY])
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(_WATCH)
        self.context.on("console", self._hear_console)
        self.context.on("weberror", lambda error: self.trouble.append(f"script: {error.error}"))
        self.context.on("request", self._see_request)
        self.context.on("dialog", self._refuse_dialog)

    def come_in_as(self, name: str) -> None:
        """With a session of that person, without the sign-in form. All windows share it: a sign-in takes a second."""
        cookies = self.hub.person(name).cookies
        self.context.add_cookies(
            [{"name": key, "value": value, "url": self.origin} for key, value in cookies.items()]
        )

    def open(self, path: str = "/") -> Tab:
        """A new tab."""
        tab = Tab(self.context.new_page(), self)
        tab.page.goto(path)
        return tab

    def expect_trouble(self, pattern: str) -> None:
        """What matches does not fail the test."""
        self.expected.append(pattern)

    def close(self) -> list[str]:
        """Close everything; gives the trouble that nobody expected."""
        self.context.close()
        return [line for line in self.trouble if not any(re.search(known, line) for known in self.expected)]

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location
            self.trouble.append(
                f"console {message.type}: {message.text} ({where['url']}:{where['lineNumber']})"
            )

    def _see_request(self, request: Request) -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.trouble.append(f"a request to another host: {request.url}")

    def _refuse_dialog(self, dialog: object) -> None:
        self.trouble.append(f"a dialog of the browser: {dialog.message}")  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]


@dataclass(slots=True)
class Tab:
    """A page of the hub."""

    page: Page
    window: Window

    @property
    def composer(self) -> Locator:
        """The message field."""
        return self.page.locator("form#composer textarea[name=text]")

    @property
    def messages(self) -> Locator:
        """All messages of the thread."""
        return self.page.locator("article[data-role][data-status]")

    @property
    def answers(self) -> Locator:
        """The messages of the model."""
        return self.page.locator("article[data-role=assistant]")

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.answers.last

    @property
    def body(self) -> Locator:
        """The text of the newest answer."""
        return self.answer.locator(".message-body")

    @property
    def stop(self) -> Locator:
        """The button that stops."""
        return self.page.locator("[data-action=stop]")

    @property
    def path(self) -> str:
        """The address without its host."""
        return urlsplit(self.page.url).path

    def choose(self, model: str) -> None:
        """Pick a model of the fake server."""
        self.page.locator("select[name=model]").select_option(f"fake/{model}")

    def ask(self, text: str, model: str = "fast") -> None:
        """Choose a model, type, send; the answer has begun when this returns."""
        self.choose(model)
        before = self.answers.count()
        self.composer.fill(text)
        if self.window.touch:  # there Enter breaks the line
            self.page.get_by_role("button", name="Send").tap()
        else:
            self.composer.press("Enter")
        expect(self.answers).to_have_count(before + 1)

    def wait_until(self, status: str) -> None:
        """Wait until the newest answer has that status."""
        expect(self.answer).to_have_attribute("data-status", status)

    def wait_for_socket(self) -> None:
        """Wait until the page is told what happens."""
        expect(self.page.locator("#connection")).to_have_attribute("data-state", "open")

    def text(self) -> str:
        """What the newest answer says."""
        return self.body.inner_text()

    def mark(self) -> None:
        """Remember this very page, so that :meth:`is_same_page` can tell a reload."""
        self.page.evaluate("window.hubTestMark = true")

    def is_same_page(self) -> bool:
        """Whether the page has not been loaded anew since :meth:`mark`."""
        return bool(self.page.evaluate("window.hubTestMark === true"))
