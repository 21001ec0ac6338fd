"""What must hold for every page that the hub renders: sound markup, no inline code, translatable words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.utils import translation

from backends.models import Backend
from chat.models import Conversation, Generation, Message, Status
from chat.services.sending import Sent
from privatechathub.accounts import setup
from privatechathub.accounts.models import Invitation, User
from tests.chat.page import faults, read

Page = Callable[[], HttpResponse]

HOSTILE = '"><script>alert(1)</script><b onclick=x style="y">&amp;'


@pytest.fixture(autouse=True)
def _nothing_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(**_kwargs: object) -> list[object]:
        return []

    for module in ("privatechathub.accounts.views", "chat.views.backends"):
        monkeypatch.setattr(f"{module}.find_servers", nothing)


@pytest.fixture
def answered(ask: Callable[..., Sent]) -> Sent:
    """A conversation with names that try to break out of every attribute."""
    sent = ask(HOSTILE)
    Message.objects.filter(pk=sent.answer.pk).update(text=HOSTILE, reasoning=HOSTILE, reasoning_seconds=3)
    Generation.objects.update(status=Status.FAILED, error_message=HOSTILE, error_hint=HOSTILE)
    Conversation.objects.update(title=HOSTILE[:120], system_prompt=HOSTILE, options={"stop": [HOSTILE]})
    Backend.objects.update(name=HOSTILE[:60], state="offline", state_message=HOSTILE)
    return sent


def pages_of_a_person(answered: Sent) -> list[str]:
    base = f"/chat/{answered.conversation.pk}/"
    return [
        "/", "/chat/new/", "/?text=Hello", "/chat/sidebar/", base, f"{base}?before={answered.answer.pk}",
        f"{base}delete/", f"{base}settings/", "/settings/", "/accounts/sessions/",
        "/accounts/password/change/", "/accounts/logout/",
    ]  # fmt: skip


PAGES_OF_THE_ADMINISTRATOR = [
    "/", "/backends/", "/backends/?find=1", "/backends/add/", "/backends/demo/", "/backends/demo/delete/",
    "/people/", "/setup/servers/", "/settings/",
]  # fmt: skip

PAGES_OF_A_VISITOR = ["/accounts/login/", "/accounts/signup/", "/accounts/inactive/", "/invitation/nonsense/"]


def assert_sound(response: HttpResponse, status: int = 200) -> None:
    assert (response.status_code, faults(response)) == (status, [])


def test_every_page_of_a_person_is_sound(answered: Sent, as_alice: Client) -> None:
    for path in pages_of_a_person(answered):
        response = as_alice.get(path)
        assert (path, response.status_code, faults(response)) == (path, 200, [])
        assert "<script>alert" not in response.content.decode()


def test_every_page_of_the_administrator_is_sound(answered: Sent, as_ada: Client, ada: User) -> None:
    Invitation.issue(ada, HOSTILE)
    as_ada.post("/people/invite/", {"note": HOSTILE})
    for path in PAGES_OF_THE_ADMINISTRATOR:
        response = as_ada.get(path)
        assert (path, response.status_code, faults(response)) == (path, 200, [])
        assert "<script>alert" not in response.content.decode()


def test_every_page_of_a_visitor_is_sound(ada: User) -> None:
    visitor = Client()
    for path in PAGES_OF_A_VISITOR:
        response = visitor.get(path)
        assert (path, faults(response)) == (path, [])
    visitor.get(f"/invitation/{Invitation.issue(ada)[1]}/")
    assert_sound(visitor.get("/accounts/signup/"))


def test_the_setup_page_is_sound(db: None) -> None:
    path = f"/setup/{setup.token()}/"
    assert_sound(Client().get(path))
    assert_sound(Client().post(path, {"username": "a", "password": "1", "repeated": "2"}), 422)


def test_pages_that_refuse_are_sound(answered: Sent, as_alice: Client, as_ada: Client) -> None:
    base = f"/chat/{answered.conversation.pk}/"
    assert_sound(as_alice.post(f"{base}messages/", {"text": HOSTILE, "model": "gone/gone"}), 422)
    assert_sound(as_alice.post("/chat/", {"text": HOSTILE, "model": "gone/gone"}), 422)
    assert_sound(as_alice.post(f"{base}settings/", {"temperature": "hot"}), 422)
    assert_sound(as_ada.post("/backends/add/", {"name": HOSTILE, "base_url": HOSTILE}), 422)
    assert_sound(as_alice.get("/backends/"), 403)
    assert_sound(as_alice.get("/nowhere/"), 404)
    assert_sound(Client().post("/accounts/login/", {"login": HOSTILE, "password": "x"}))


def test_a_failed_form_protection_is_explained(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    assert_sound(browser.post("/chat/", {"text": "Hi"}), 403)


def test_a_mistake_of_ours_gives_a_page_without_details(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("with secrets")

    monkeypatch.setattr("chat.views.pages.sidebar_view", broken)
    as_alice.raise_request_exception = False

    response = as_alice.get("/")

    assert response.status_code == 500
    assert "with secrets" not in response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_fragments_are_sound_too(answered: Sent, as_alice: Client) -> None:
    htmx = {"HX-Request": "true"}
    base = f"/chat/{answered.conversation.pk}/"
    for path in ("/", base, "/chat/sidebar/", f"{base}?before={answered.answer.pk}", f"{base}menu/"):
        page = read(as_alice.get(path, headers=htmx))
        assert (path, page.faults) == (path, [])
        assert not page.all("html")
        assert not [tag for tag in page.tags if tag.name == "script" or "style" in tag.attributes]


def test_nothing_of_the_hub_may_be_framed_cached_by_others_or_sniffed(as_alice: Client) -> None:
    headers = as_alice.get("/").headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-cache"


def test_texts_and_json_are_not_cached_by_others_either(answered: Sent, as_alice: Client) -> None:
    for path in (f"/messages/{answered.answer.pk}/raw/", "/healthz", "/nowhere/"):
        assert as_alice.get(path).headers["Cache-Control"].startswith("private"), path
    script = as_alice.get("/static/js/thread.js")
    assert "public" in script.headers["Cache-Control"]
    script.close()


def test_what_differs_between_page_and_fragment_says_so_to_caches(answered: Sent, as_alice: Client) -> None:
    for path in ("/", f"/chat/{answered.conversation.pk}/", "/chat/sidebar/"):
        assert "HX-Request" in as_alice.get(path)["Vary"]


def test_the_page_refreshes_itself_without_a_script_only_while_an_answer_is_written(
    ask: Callable[..., Sent], as_alice: Client
) -> None:
    path = ask("Hello").conversation.get_absolute_url()

    refresh = read(as_alice.get(path)).one("meta", http_equiv="refresh")
    assert "noscript" in refresh.inside

    Generation.objects.update(status=Status.COMPLETED)
    assert not read(as_alice.get(path)).all("meta", http_equiv="refresh")


WORD = re.compile(r"[^\W\d_]{3,}")
#: Words that are no language: keys of the keyboard.
KEYS = {"Enter", "Shift", "Esc", "Ctrl", "End"}


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language in which every translated text stands in brackets."""
    with translation.override("en"):
        translation.gettext("")
        translation.ngettext("", "", 1)
    catalogue = translation._trans
    monkeypatch.setattr(catalogue, "gettext", lambda text: f"⟦{text}⟧" if text else "")
    monkeypatch.setattr(catalogue, "ngettext", lambda one, many, n: f"⟦{one if n == 1 else many}⟧")


def untranslated(response: HttpResponse, *own: str) -> list[str]:
    """Words that a reader sees and that no translator could."""
    page = read(response)
    texts = [tag.text for tag in page.tags if not {"title", "pre"} & {tag.name}]
    shown = ("aria-label", "title", "placeholder")
    texts += [text for tag in page.tags for name, text in tag.attributes.items() if name in shown]
    found = []
    for text in texts:
        for name in own:
            text = text.replace(name, "")
        rest = re.sub(r"⟦[^⟧]*⟧|⟦.*⟧", "", text, flags=re.DOTALL)
        found += [text.strip() for word in WORD.findall(rest) if word not in KEYS]
    return found


def test_every_word_of_the_chat_can_be_translated(
    marked: None, ask: Callable[..., Sent], as_alice: Client
) -> None:
    sent = ask("12345")
    Generation.objects.update(status=Status.STOPPED)
    Message.objects.filter(pk=sent.answer.pk).update(text="678", reasoning="9", reasoning_seconds=2)

    for path in ("/", sent.conversation.get_absolute_url(), f"/chat/{sent.conversation.pk}/delete/"):
        assert untranslated(as_alice.get(path), "alice", "Demo", "Play") == []


def test_every_word_of_the_other_pages_can_be_translated(marked: None, demo: Any, as_ada: Client) -> None:
    for path in ("/settings/", "/backends/", "/people/", "/backends/demo/delete/", "/setup/servers/"):
        own = ("ada", "Demo", "scripted:play", "Scripted (demo)", "demo")
        assert untranslated(as_ada.get(path), *own) == []


def test_a_message_of_the_hub_is_shown_once(as_alice: Client) -> None:
    as_alice.post("/settings/theme/", {"theme": "pink"})

    first, second = as_alice.get("/settings/"), as_alice.get("/settings/")

    assert "There is no such theme." in first.content.decode()
    assert "There is no such theme." not in second.content.decode()
    assert not list(get_messages(second.wsgi_request))
