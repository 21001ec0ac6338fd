"""The numbers in an answer lead to what its model was given under them: pages of the web, passages of documents."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.events import Finish, FinishReason, TextDelta
from backends.adapters.messages import ToolResultPart
from backends.database import in_database
from chat.generation import runtime
from chat.generation.told import Passage, Told
from chat.models import Activity, Generation, Message, Status
from chat.presenting.message import message_views
from chat.services import answers
from chat.services.editing import put_answer
from chat.services.sending import Sent
from chat.tools.base import Caller, Source, Tool, ToolResult
from privatechathub.accounts.models import User
from tests.chat.page import faults
from tests.chat.tooling import Rounds, call, results
from tests.chat.watching import ended, opened, until

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
DONE = [TextDelta("Done.")]
LINK = re.compile(
    r'<a href="([^"]*)" title="([^"]*)" aria-label="\2" rel="[a-z ]*" target="_blank">([^<]*)</a>'
)


class Finding(Tool):
    """Finds two pages for every word it is asked for, numbered by the answer."""

    name = "find"
    label = "Find"
    description = "Test."
    parameters = {"type": "object", "properties": {"words": {"type": "string"}}}

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.may.set()

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        await self.may.wait()
        urls = [f"https://{word}.example/" for word in str(arguments["words"]).split()]
        numbers = [caller.numbering.of(url) for url in urls]
        return ToolResult(
            "\n".join(f"[{number}] {url}" for number, url in zip(numbers, urls, strict=True)),
            sources=tuple(
                Source(url, f'"{url[8:-1]}" <b>', number=number)
                for number, url in zip(numbers, urls, strict=True)
            ),
        )


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", DONE):
        yield


@pytest.fixture
def finding(alice: User, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """Alice's models may find pages."""
    tool = Finding()

    async def tools_for(caller: Any) -> list[Tool]:
        return [tool]

    monkeypatch.setattr("chat.generation.tools_offered.tools_for", tools_for)
    alice.tools = {"*": True}
    alice.save()
    return tool


def played(*rounds: Any) -> Rounds:
    """What the model says from now on."""
    script = Rounds(*rounds)
    scripted.register("play", script)
    return script


def cited(html: str) -> list[tuple[str, str]]:
    """What each mark shows, and where it leads."""
    return [(shown, url) for url, _name, shown in LINK.findall(html)]


def body(sent: Sent) -> str:
    """The answer as shown."""
    (view,) = message_views([sent.answer.pk])
    return str(view.html)


# --- searches ----------------------------------------------------------------------------------------------


@live
async def test_sources_are_numbered_on_through_an_answer_and_the_marks_lead_to_them(
    finding: Finding, alice: User, hub: runtime.Runtime, ask: Ask, as_alice: Client, as_bob: Client
) -> None:
    script = played(
        [call("find", "c1", words="bees wax"), call("find", "c2", 1, words="honey")],
        [call("find", "c3", words="wax hive")],
        [TextDelta("So [1], [2, 4], `x[1]` and [5].")],
    )
    finding.may.clear()
    sent = await in_database(ask)
    tab = await opened(alice, sent.conversation)
    await tab.until("running")
    finding.may.set()
    await ended(sent)

    told = results(script.requests[2])
    numbers = {url: int(number) for text in told for number, url in re.findall(r"\[(\d)\] (\S+)", text)}
    assert sorted(numbers.values()) == [1, 2, 3, 4]
    assert f"[{numbers['https://wax.example/']}] https://wax.example/" in told[2]
    pages = {number: url for url, number in numbers.items()}
    expected = [("[1]", pages[1]), ("2", pages[2]), ("4", pages[4])]
    assert cited(await in_database(body, sent)) == expected
    assert cited(await tab.until('class="cite"')) == expected
    await tab.close()
    response = await in_database(as_alice.get, sent.conversation.get_absolute_url())
    page = response.content.decode()
    assert cited(page) == expected
    assert not faults(response)
    assert 'aria-label="Source 1: &quot;' in page
    assert re.findall(r'class="source"[^>]*>\[(\d)\] ', page) == ["1", "2", "3", "4"]
    assert "<code>x[1]</code>" in page
    assert (await in_database(as_bob.get, sent.conversation.get_absolute_url())).status_code == 404


@live
async def test_the_next_answer_counts_on_after_what_its_model_reads_again(
    finding: Finding, hub: runtime.Runtime, ask: Ask
) -> None:
    played([call("find", "c1", words="bees wax")], [TextDelta("So [1].")])
    first = await in_database(ask)
    await ended(first)
    played([call("find", "c1", words="honey wax")], [TextDelta("As [1] said: [2] [3].")])
    second = await in_database(ask, "And?", first.conversation)
    await ended(second)

    assert cited(await in_database(body, first)) == [("[1]", "https://bees.example/")]
    assert cited(await in_database(body, second)) == [
        ("[2]", "https://wax.example/"),
        ("[3]", "https://honey.example/"),
    ]


@live
async def test_an_answer_that_goes_on_keeps_its_numbers(
    finding: Finding, alice: User, hub: runtime.Runtime, ask: Ask
) -> None:
    played([call("find", "c1", words="bees")], [TextDelta("So [1]"), Finish(FinishReason.LENGTH)])
    sent = await in_database(ask)
    await ended(sent)
    script = played([call("find", "c2", words="wax bees")], [TextDelta(" and [2].")])
    message = await in_database(Message.objects.select_related("conversation").get, pk=sent.answer.pk)
    generation = await in_database(answers.continue_answer, alice, message)
    await until(lambda: not Generation.objects.get(pk=generation.pk).is_active)

    parts = [part for each in script.requests[1].messages for part in each.parts]
    assert len([part for part in parts if isinstance(part, ToolResultPart)]) == 2
    assert results(script.requests[1])[1] == "[2] https://wax.example/\n[1] https://bees.example/"
    assert cited(await in_database(body, sent)) == [
        ("[1]", "https://bees.example/"),
        ("[2]", "https://wax.example/"),
    ]


# --- what is stored ----------------------------------------------------------------------------------------


def completed(sent: Sent, text: str, *sources: dict[str, Any], passages: Told | None = None) -> Sent:
    """Its answer has ended with these sources."""
    Message.objects.filter(pk=sent.answer.pk).update(text=text)
    Generation.objects.filter(pk=sent.generation.pk).update(
        status=Status.COMPLETED, finish_reason="stop", passages=passages.values() if passages else {}
    )
    for at, source in enumerate(sources):
        Activity.objects.create(
            generation=sent.generation,
            position=at,
            call_id=str(at),
            name="web_search",
            state="done",
            sources=[source],
            started_at=timezone.now(),
        )
    return sent


def page(number: int, url: str, title: str = "T") -> dict[str, Any]:
    return {"url": url, "title": title, "site": "", "number": number}


def test_a_number_that_stands_for_two_pages_is_no_link(ask: Ask) -> None:
    sent = completed(
        ask(),
        "[1] [2] [3] [4]",
        page(1, "https://a.example/"),
        page(1, "https://b.example/"),
        page(2, "https://a.example/"),
        page(2, "https://a.example/", "The same"),
        {"url": "https://c.example/", "title": "from before there were numbers", "site": ""},
        page(3, "javascript:alert(1)"),
        page(4, "http://["),
    )

    assert cited(body(sent)) == [("[2]", "https://a.example/")]


def test_hostile_titles_and_addresses_stay_words(ask: Ask, as_alice: Client) -> None:
    title = "\u202e</a><script>alert(1)</script>\" onclick='x'"
    sent = completed(
        ask(), "[1] [2]", page(1, "https://a.example/?'\"<b>", title), page(2, "data:text/html,x")
    )

    response = as_alice.get(sent.conversation.get_absolute_url())

    html = response.content.decode()
    assert cited(html) == [("[1]", "https://a.example/?'&quot;&lt;b&gt;")]
    assert "<script>alert" not in html
    assert "data:text" not in html
    assert "\u202e" not in LINK.findall(html)[0][1]
    assert not faults(response)


def test_passages_lead_to_their_place_and_pages_have_the_numbers_after_them(ask: Ask) -> None:
    sent = ask()
    file = sent.conversation.pk  # any id will do
    told = Told({file: 'r"e.pdf'}, [Passage(file, 'r"e.pdf', "page:12", 5, 9)])
    completed(sent, "[1] [2] [3]", page(2, "https://a.example/"), passages=told)

    assert cited(body(sent)) == [
        ("[1]", f"/attachments/{file}/read/?from=5&amp;to=9#passage"),
        ("[2]", "https://a.example/"),
    ]
    assert 'title="Source 1: r&quot;e.pdf p. 12"' in body(sent)


def test_an_answer_that_went_on_with_other_passages_has_no_links_to_those_that_changed(
    ask: Ask,
) -> None:
    sent = ask()
    file = sent.conversation.pk
    one, two, three = (Passage(file, "a.txt", "", at, at + 1) for at in (1, 2, 3))
    completed(sent, "[1] [2]", passages=Told({file: "a.txt"}, [one, two]))
    Generation.objects.create(
        message=sent.answer,
        backend=sent.generation.backend,
        model_id="play",
        continues=True,
        status=Status.COMPLETED,
        passages=Told({file: "a.txt"}, [one, three]).values(),
    )

    assert [shown for shown, _url in cited(body(sent))] == ["[1]"]


def test_an_answer_in_the_persons_own_words_is_text(ask: Ask) -> None:
    sent = completed(ask(), "So [1].", page(1, "https://a.example/"))

    put_answer(sent.conversation, sent.answer, "Mine [1].")

    edited = Message.objects.get(edited=True)
    views = message_views([edited.pk, sent.answer.pk])
    assert [cited(str(view.html)) for view in views] == [[], [("[1]", "https://a.example/")]]
    assert views[0].html == '<p dir="auto">Mine [1].</p>'


def test_while_it_is_written_it_is_text(ask: Ask) -> None:
    sent = completed(ask(), "So [1].", page(1, "https://a.example/"))
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.RUNNING)

    assert not cited(body(sent))


def test_files_to_keep_hold_the_mark_and_paper_the_list(ask: Ask, as_alice: Client, as_bob: Client) -> None:
    sent = completed(ask(), "So [1].", page(1, "https://a.example/", "Bees \u202edance"))
    address = f"/chat/{sent.conversation.pk}"

    assert "So [1]." in as_alice.get(f"{address}/export/?as=md").content.decode()
    assert cited(as_alice.get(f"{address}/export/?as=html").content.decode()) == [
        ("[1]", "https://a.example/")
    ]
    assert (
        '<li>[1] <bdi>Bees dance</bdi> — <bdi dir="ltr">https://a.example/</bdi></li>'
        in as_alice.get(f"{address}/print/").content.decode()
    )
    assert as_bob.get(f"{address}/print/").status_code == 404


def test_sources_cost_no_query(ask: Ask, as_alice: Client, django_assert_num_queries: Any) -> None:
    plain, with_passages = ask(), ask()
    file = plain.conversation.pk
    told = Told({file: "a.txt"}, [Passage(file, "a.txt", "", 0, 1)])
    completed(plain, "So [1].")
    completed(with_passages, "So [1].", passages=told)
    with django_assert_num_queries(3):
        assert not cited(body(plain))
    with django_assert_num_queries(3):
        assert cited(body(with_passages))


def test_the_same_words_with_other_sources_lead_elsewhere(ask: Ask) -> None:
    one = completed(ask(), "So [1].", page(1, "https://a.example/"))
    other = completed(ask(), "So [1].", page(1, "https://b.example/"))
    none = completed(ask(), "So [1].")

    assert [cited(body(sent)) for sent in (one, other, none, one)] == [
        [("[1]", "https://a.example/")],
        [("[1]", "https://b.example/")],
        [],
        [("[1]", "https://a.example/")],
    ]
