"""What is known of how an answer came about, for whoever unfolds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.events import Finish, FinishReason, Started, TextDelta, Usage
from backends.database import in_database
from chat.generation import runtime
from chat.models import Generation, Status
from chat.services.sending import Sent
from tests.chat.page import Page, faults, read
from tests.chat.watching import ended

Ask = Callable[..., Sent]
HEADERS = {
    "x-olla-endpoint": "attic",
    "x-olla-model": "llama3.2:3b",
    "x-olla-backend-type": "ollama",
    "x-olla-response-time": "412ms",
    "x-olla-request-id": "r-1",
}


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


@pytest.fixture
def answered(ask: Ask) -> Sent:
    """An answer of which everything is known."""
    sent = ask("Hello")
    now = timezone.now()
    Generation.objects.update(
        status=Status.COMPLETED, answered_by="llama3.2:3b-q4", details={"headers": HEADERS},
        input_tokens=1200, output_tokens=345, reasoning_tokens=100, cached_tokens=0, tokens_per_second=28.44,
        ttft_ms=640, load_ms=2500, finish_reason="stop", started_at=now - timedelta(seconds=12.34), finished_at=now,
        options={"temperature": 0.2, "stop": ["END", "\n"], "reasoning": "low", "unknown": 1},
    )  # fmt: skip
    return sent


def facts_of(page: Page) -> dict[str, str]:
    """Name -> value, as the definition list says them."""
    terms, values = ([tag for tag in page.all(name) if "dialog" not in tag.inside] for name in ("dt", "dd"))
    return {term.text: value.text.strip() for term, value in zip(terms, values, strict=True)}


def test_everything_that_is_known_stands_in_one_list(answered: Sent, as_alice: Client) -> None:
    address = f"/messages/{answered.answer.pk}/details/"

    page = read(as_alice.get(address, headers={"HX-Request": "true"}))

    assert not page.faults
    assert not page.all("html")
    options = [tag.text for tag in page.all("span")]
    facts = facts_of(page)
    facts.pop("Options sent")
    assert facts == {
        "Server": "Demo",
        "Kind of server": "Scripted (demo)",
        "Model asked": "Play (play)",
        "Model that answered": "llama3.2:3b-q4",
        "Endpoint": "attic",
        "Model there": "llama3.2:3b",
        "Kind of endpoint": "ollama",
        "Time until its headers": "412ms",
        "x-olla-request-id": "r-1",
        "Loading the model": "2.5 s",
        "First token": "640 ms",
        "Speed": "28.4 tokens/s",
        "The whole answer": "12.3 s",
        "Tokens read": "1,200",
        "of these from the cache": "0",
        "Tokens written": "345",
        "of these for thinking": "100",
        "Ended": "complete",
    }
    assert options == ["Temperature: 0.2", "Stop words: “END”, “\n”", "Thinking: Little"]


def test_the_page_without_script_shows_the_same(answered: Sent, as_alice: Client) -> None:
    address = f"/messages/{answered.answer.pk}/details/"
    thread = read(as_alice.get(answered.conversation.get_absolute_url()))
    links = [tag.attributes.get("href") for tag in thread.all("a")]

    response = as_alice.get(address)

    assert address in links
    assert not faults(response)
    fragment = read(as_alice.get(address, headers={"HX-Request": "true"}))
    assert facts_of(read(response)) == facts_of(fragment)
    assert answered.conversation.get_absolute_url() in [
        tag.attributes.get("href") for tag in read(response).all("a")
    ]


def test_what_is_not_known_is_left_out(ask: Ask, as_alice: Client) -> None:
    sent = ask()
    Generation.objects.update(status=Status.COMPLETED, backend=None)

    facts = facts_of(read(as_alice.get(f"/messages/{sent.answer.pk}/details/")))

    assert set(facts) == {"Server", "Model asked", "Options sent"}
    assert facts["Options sent"] == "None: the server’s own"


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}])
def test_they_are_the_owner_s_alone_and_questions_have_none(
    answered: Sent, as_alice: Client, as_bob: Client, as_ada: Client, htmx: dict[str, str]
) -> None:
    for browser in (as_bob, as_ada):
        assert browser.get(f"/messages/{answered.answer.pk}/details/", headers=htmx).status_code == 404
    assert as_alice.get(f"/messages/{answered.question.pk}/details/", headers=htmx).status_code == 404


def test_what_a_proxy_says_is_never_markup(answered: Sent, as_alice: Client) -> None:
    hostile = "<script>alert(1)</script>"
    Generation.objects.update(details={"headers": {"x-olla-endpoint": hostile, hostile: "x"}})

    response = as_alice.get(f"/messages/{answered.answer.pk}/details/")

    assert not faults(response)
    assert facts_of(read(response))["Endpoint"] == hostile
    assert facts_of(read(response))[hostile] == "x"


def test_a_running_answer_offers_none_yet(ask: Ask, as_alice: Client) -> None:
    sent = ask()
    Generation.objects.update(status=Status.RUNNING)

    assert "details/" not in as_alice.get(sent.conversation.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
async def test_what_the_stream_told_is_in_them(hub: runtime.Runtime, ask: Ask, as_alice: Client) -> None:
    scripted.register(
        "play",
        [
            Started(model="other", headers=HEADERS),
            TextDelta("Hi"),
            Usage(input_tokens=3, output_tokens=9, reasoning_tokens=2, cached_tokens=1, load_s=0.25),
            Finish(FinishReason.LENGTH),
        ],
    )
    sent = await in_database(ask)
    await ended(sent)

    facts = facts_of(read(await in_database(as_alice.get, f"/messages/{sent.answer.pk}/details/")))

    assert facts["Endpoint"] == "attic"
    assert facts["Model that answered"] == "other"
    assert facts["Loading the model"] == "250 ms"
    assert (facts["Tokens read"], facts["of these from the cache"]) == ("3", "1")
    assert (facts["Tokens written"], facts["of these for thinking"]) == ("9", "2")
    assert facts["Ended"] == "length limit"
