"""Tools with reach ask first: a card on every device, one word, standing rules, and a list of every call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from backends.adapters.messages import ImagePart
from backends.database import in_database
from chat.generation import asks, runtime
from chat.generation.consent import decide
from chat.models import Activity, Conversation, Message, ToolPolicy, ToolRule, Verdict
from chat.models import Ask as AskRow
from chat.models.tool_policy import Policies
from chat.services import answers
from chat.services.sending import Sent
from chat.tools.base import Reach, Source, Tool, ToolResult
from privatechathub.accounts.models import User
from tests.chat.page import faults
from tests.chat.tooling import Adder, Rounds, Saying, call, results, saying
from tests.chat.watching import ended, opened, until

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
DONE = [TextDelta("Done.")]
ALLOW, ASK, DENY = Verdict.ALLOW, Verdict.ASK, Verdict.DENY


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", DONE):
        yield


@pytest.fixture
def fetch(alice: User, monkeypatch: pytest.MonkeyPatch) -> Saying:
    """Alice's models may use a tool that reaches out."""
    alice.tools = {"*": True}
    alice.save()
    tool = saying("fetch", "a page", Reach.OUTSIDE)
    put(monkeypatch, tool)
    return tool


def put(monkeypatch: pytest.MonkeyPatch, *tools: Tool) -> None:
    async def tools_for(caller: Any) -> list[Tool]:
        return list(tools)

    monkeypatch.setattr("chat.generation.tools_offered.tools_for", tools_for)
    monkeypatch.setattr("chat.tool_pages.known_to", lambda user_id: list(tools))


async def asked(number: int = 1) -> list[AskRow]:
    """The requests once so many are open."""
    await until(lambda: AskRow.objects.open().count() == number)
    return await in_database(lambda: list(AskRow.objects.open()))


async def say(browser: Client, row: AskRow, verdict: str) -> Any:
    return await in_database(browser.post, f"/asks/{row.pk}/answer/", {"verdict": verdict})


def consents() -> list[str]:
    return list(Activity.objects.order_by("started_at", "position").values_list("consent", flat=True))


# --- rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reach", "policy", "rule", "after", "verdict"),
    [
        ((), None, None, True, ALLOW),
        ((), ASK, None, False, ASK),
        ((), None, DENY, False, DENY),
        ((Reach.OUTSIDE,), None, None, False, ASK),
        ((Reach.OUTSIDE,), None, ALLOW, False, ALLOW),
        ((Reach.OUTSIDE,), None, ALLOW, True, ALLOW),
        ((Reach.OUTSIDE,), ALLOW, None, False, ALLOW),
        ((Reach.OUTSIDE,), ALLOW, ASK, False, ASK),
        ((Reach.OUTSIDE,), DENY, ALLOW, False, DENY),
        ((Reach.CHANGES,), ALLOW, ALLOW, False, ALLOW),
        ((Reach.CHANGES,), ALLOW, ALLOW, True, ASK),
        ((Reach.UNKNOWN,), ALLOW, ALLOW, True, ASK),
        ((Reach.UNKNOWN,), None, DENY, True, DENY),
    ],
)
def test_who_decides(reach: tuple[Reach, ...], policy: Any, rule: Any, after: bool, verdict: Verdict) -> None:
    assert decide(saying("tool", "", *reach), policy, rule, after_output=after) is verdict


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([], None),
        ([("fetch", False, ALLOW)], ALLOW),
        ([("other", False, DENY)], None),
        ([("*", False, ASK)], ASK),
        ([("*", False, DENY), ("fetch", True, ALLOW)], DENY),
        ([("*", False, DENY), ("*", True, ALLOW)], ALLOW),
        ([("fetch", False, DENY), ("fetch", True, ALLOW)], ALLOW),
        ([("fetch", True, ALLOW), ("fetch", True, ASK)], ASK),
        ([("*", False, ASK), ("fetch", False, ALLOW)], ALLOW),
    ],
)
def test_administrators_rules(rules: Any, verdict: Verdict | None) -> None:
    assert Policies(rules).verdict("fetch") is verdict


def test_a_rule_for_a_group_holds_for_its_members_only(alice: User, bob: User) -> None:
    group = Group.objects.create(name="Children")
    alice.groups.add(group)
    ToolPolicy.objects.create(tool="fetch", group=group, verdict=DENY)

    assert ToolPolicy.of(alice).verdict("fetch") is DENY
    assert ToolPolicy.of(bob).verdict("fetch") is None


# --- the card ------------------------------------------------------------------------------------------


@live
async def test_it_asks_on_every_device_and_one_word_is_enough(
    fetch: Saying, alice: User, hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    script = Rounds([call("fetch", "c1", url="http://x.test/<b>")], DONE)
    scripted.register("play", script)
    sent = await in_database(ask)
    (row,) = await asked()
    phone, desk = await opened(alice, sent.conversation), await opened(alice, sent.conversation)
    for tab in (phone, desk):
        card = await tab.until(f'id="ask-{row.pk}"')
        assert "http://x.test/&lt;b&gt;" in card
        assert 'value="here"' in card
    assert fetch.ran == 0

    assert (await say(as_alice, row, "once")).status_code == 302
    await ended(sent)

    for tab in (phone, desk):
        await tab.until("Done.")
        await tab.close()
    assert fetch.ran == 1
    assert results(script.requests[1]) == ["a page"]
    assert await in_database(consents) == ["once"]
    assert not await in_database(ToolRule.objects.exists)


@live
async def test_a_card_says_that_there_are_no_arguments(
    fetch: Saying, hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    scripted.register("play", Rounds([call("fetch", "c1")], DONE))
    sent = await in_database(ask)
    (row,) = await asked()
    page = (await in_database(as_alice.get, sent.conversation.get_absolute_url())).content.decode()
    assert "Without arguments." in page
    await say(as_alice, row, "deny")
    await ended(sent)


@live
@pytest.mark.parametrize(("word", "elsewhere"), [("here", 1), ("always", 0)])
async def test_a_standing_word_asks_no_more(
    word: str, elsewhere: int, fetch: Saying, hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    scripted.register("play", Rounds([call("fetch", "c1")], [call("fetch", "c2", again=True)], DONE))
    sent = await in_database(ask)
    await say(as_alice, (await asked())[0], word)
    await ended(sent)
    assert await in_database(consents) == [word, "rule"]

    scripted.register("play", Rounds([call("fetch", "c3")], DONE))
    other = await in_database(ask)
    await until(lambda: AskRow.objects.open().count() == elsewhere)
    for row in await asked(elsewhere):
        await say(as_alice, row, "deny")
    await ended(other)
    assert fetch.ran == (2 if elsewhere else 3)


@live
async def test_denied_is_told_to_the_model_and_the_answer_goes_on(
    fetch: Saying, hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    script = Rounds([call("fetch", "c1")], DONE)
    scripted.register("play", script)
    sent = await in_database(ask)
    await say(as_alice, (await asked())[0], "deny")
    generation = await ended(sent)

    assert (fetch.ran, generation.status) == (0, "completed")
    assert "denied" in results(script.requests[1])[0]
    assert await in_database(consents) == ["denied"]


@live
async def test_without_a_word_it_is_denied(
    fetch: Saying, hub: runtime.Runtime, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asks, "LIMIT", 0.05)
    scripted.register("play", Rounds([call("fetch", "c1")], DONE))
    generation = await ended(await in_database(ask))

    assert (fetch.ran, generation.status) == (0, "completed")
    assert await in_database(consents) == ["expired"]


@live
async def test_stopping_closes_the_card(
    fetch: Saying, hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    scripted.register("play", Rounds([call("fetch", "c1")], DONE))
    sent = await in_database(ask)
    (row,) = await asked()
    await in_database(answers.stop_answers, sent.conversation)
    await ended(sent)

    assert (await in_database(AskRow.objects.get, pk=row.pk)).state == "closed"
    assert fetch.ran == 0


@live
async def test_a_call_with_effects_after_a_tool_s_output_always_asks(
    fetch: Saying,
    alice: User,
    hub: runtime.Runtime,
    ask: Ask,
    as_alice: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rename = saying("rename", "renamed", Reach.CHANGES)
    put(monkeypatch, Adder(), rename)
    await in_database(ToolRule.put, alice.pk, None, "rename", ALLOW)
    scripted.register(
        "play",
        Rounds([call("rename", "c1")], [call("add", "c2", a=1, b=1)], [call("rename", "c3", n=2)], DONE),
    )
    sent = await in_database(ask)
    (row,) = await asked()
    assert rename.ran == 1
    assert row.payload["once_only"] is True
    for word in ("always", "here", "answer"):
        assert (await say(as_alice, row, word)).status_code == 400

    await say(as_alice, row, "once")
    await ended(sent)
    assert await in_database(consents) == ["rule", "harmless", "once"]


@live
async def test_strangers_can_neither_see_nor_answer(
    fetch: Saying, hub: runtime.Runtime, ask: Ask, as_alice: Client, as_bob: Client, as_ada: Client
) -> None:
    scripted.register("play", Rounds([call("fetch", "c1", url="http://secret.test")], DONE))
    sent = await in_database(ask)
    (row,) = await asked()
    for stranger in (as_bob, as_ada):
        assert (await say(stranger, row, "always")).status_code == 404
    assert not await in_database(ToolRule.objects.exists)
    await say(as_alice, row, "once")
    await ended(sent)

    for stranger in (as_bob, as_ada):
        page = await in_database(stranger.get, f"/chat/{sent.conversation.pk}/tools/")
        assert page.status_code == 404
        listed = (await in_database(stranger.get, "/settings/tool-calls/")).content.decode()
        assert "secret.test" not in listed
    response = await in_database(as_alice.get, "/settings/tool-calls/")
    listed = response.content.decode()
    assert "secret.test" in listed
    assert "allowed once" in listed
    assert not faults(response)


# --- pages ---------------------------------------------------------------------------------------------


def test_a_person_chooses_everywhere(alice: User, as_alice: Client, fetch: Saying) -> None:
    page = as_alice.get("/settings/tools/")
    assert "Contacts other hosts." in page.content.decode()
    assert not faults(page)

    fields = {
        "switch-*": "on",
        "switch-fetch": "off",
        "rule-fetch": "deny",
        "switch-evil": "on",
        "rule-evil": "allow",
    }
    assert as_alice.post("/settings/tools/", fields).status_code == 302

    alice.refresh_from_db()
    assert alice.tools == {"*": True, "fetch": False}
    assert list(ToolRule.objects.values_list("user", "conversation", "tool", "verdict")) == [
        (alice.pk, None, "fetch", "deny")
    ]
    as_alice.post("/settings/tools/", {})
    alice.refresh_from_db()
    assert alice.tools == {}
    assert not ToolRule.objects.exists()


def test_a_conversation_differs(
    alice: User, as_alice: Client, as_bob: Client, fetch: Saying, ask: Ask
) -> None:
    conversation = ask().conversation
    address = f"/chat/{conversation.pk}/tools/"
    assert address in as_alice.get(f"/chat/{conversation.pk}/settings/").content.decode()
    assert not faults(as_alice.get(address))
    fields = {"switch-*": "off", "switch-fetch": "on", "rule-fetch": "allow"}
    assert as_bob.post(address, fields).status_code == 404

    assert as_alice.post(address, fields)["Location"] == conversation.get_absolute_url()

    conversation.refresh_from_db()
    assert conversation.tools == {"*": False, "fetch": True}
    assert ToolRule.of(alice.pk, conversation.pk) == {"fetch": ALLOW}
    assert ToolRule.of(alice.pk, ask().conversation.pk) == {}


def test_the_composer_says_where_the_model_cannot(alice: User, as_alice: Client, demo: Any) -> None:
    hint = "Tools are on, but this model can’t use them."
    demo.models.update(capabilities=["chat"])
    assert hint not in as_alice.get("/").content.decode()

    alice.tools = {"*": True}
    alice.save()
    assert hint in as_alice.get("/").content.decode()
    picked = as_alice.get("/models/health/?model=demo/play").content.decode()
    assert f'hx-target="#composer-tools" hx-swap="innerHTML">{hint}<' in picked

    demo.models.update(capabilities=["chat", "tools"])
    assert hint not in as_alice.get("/").content.decode()


@live
async def test_sources_are_chips_under_the_answer(
    fetch: Saying,
    hub: runtime.Runtime,
    ask: Ask,
    as_alice: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = (
        Source("https://www.example.org/a", 'A "page"', ""),
        Source("https://example.net/b", "B", "Net"),
        Source("javascript:alert(1)", "evil", "evil"),
        Source("http://[", "broken", "broken"),
    )
    put(monkeypatch, Saying("look", lambda: ToolResult("<script>alert(1)</script>", sources=found)))
    scripted.register("play", Rounds([call("look", "c1")], [call("look", "c2", again=1)], DONE))
    sent = await in_database(ask)
    await ended(sent)

    response = await in_database(as_alice.get, sent.conversation.get_absolute_url())
    page = response.content.decode()
    assert page.count('class="source"') == 2
    assert ">example.org</a>" in page
    assert ">Net</a>" in page
    assert "javascript:" not in page
    assert "<script>alert(1)" not in page
    assert not faults(response)


@live
async def test_images_of_a_result_are_shown_once_the_answer_has_ended(
    alice: User,
    hub: runtime.Runtime,
    ask: Ask,
    as_alice: Client,
    as_bob: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice.tools = {"*": True}
    await in_database(alice.save)
    images = (ImagePart(b"\x89PNG1", "image/png"), ImagePart(b"<svg/>", "image/svg+xml"))
    put(monkeypatch, Saying("look", lambda: ToolResult("[image]", images=images)))
    scripted.register("play", Rounds([call("look", "c1")], DONE))
    sent = await in_database(ask)
    await ended(sent)

    response = await in_database(as_alice.get, sent.conversation.get_absolute_url())
    shown = [
        f"{address}1/"
        for address in re.findall(r'<img src="(/activities/[^"]*/)1/"', response.content.decode())
    ]
    assert len(shown) == 1
    assert not faults(response)
    picture = await in_database(as_alice.get, shown[0])
    assert (picture.content, picture["Content-Type"]) == (b"\x89PNG1", "image/png")
    assert "sandbox" in picture["Content-Security-Policy"]
    for stranger, address in [(as_bob, shown[0]), *((as_alice, f"{shown[0][:-2]}{n}/") for n in (0, 2, 3))]:
        assert (await in_database(stranger.get, address)).status_code == 404


@live
@pytest.mark.parametrize(
    ("end", "sentence", "without_words"),
    [
        ("refused", "can’t use tools", "can’t use tools"),
        ("steps", "too many times; it answered", "too many times and gave no answer"),
        ("repeated", "repeated itself; it answered", "repeated itself and gave no answer"),
        ("time", "too long; it answered", "too long, and it gave no answer"),
    ],
)
async def test_the_page_says_why_calls_ended(
    end: str, sentence: str, without_words: str, hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    sent = await in_database(ask)
    generation = await ended(sent)
    generation.details = {"tools_end": end}
    await in_database(generation.save)

    page = (await in_database(as_alice.get, sent.conversation.get_absolute_url())).content.decode()
    assert sentence in page
    await in_database(Message.objects.filter(pk=sent.answer.pk).update, text="")
    page = (await in_database(as_alice.get, sent.conversation.get_absolute_url())).content.decode()
    assert without_words in page


def test_earlier_calls_are_a_page_away(
    alice: User, as_alice: Client, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.tool_pages.PAGE", 2)
    generation = ask().generation
    for n in range(3):
        Activity.objects.create(
            generation=generation,
            position=n,
            call_id=str(n),
            name=f"tool{n}",
            state="done",
            started_at=timezone.now() + timedelta(seconds=n),
        )
    page = as_alice.get("/settings/tool-calls/")
    assert "tool2" in page.content.decode()
    assert "tool0" not in page.content.decode()
    earlier = as_alice.get(page.context["earlier_url"]).content.decode()
    assert "tool0" in earlier
    assert "tool1" not in earlier


def test_nothing_was_called_yet(as_alice: Client) -> None:
    assert "No model has called a tool yet." in as_alice.get("/settings/tool-calls/").content.decode()
    assert Conversation.objects.count() == 0


def test_administrators_switch_tools_off(
    as_ada: Client, as_bob: Client, as_alice: Client, fetch: Saying, alice: User
) -> None:
    fields = {"tool": "*", "group": "", "verdict": "deny"}
    assert as_bob.post("/admin/chat/toolpolicy/add/", fields).status_code in (302, 403, 404)
    assert not ToolPolicy.objects.exists()
    assert as_ada.post("/admin/chat/toolpolicy/add/", fields).status_code == 302

    assert ToolPolicy.of(alice).verdict("fetch") is DENY
    page = as_alice.get("/settings/tools/").content.decode()
    assert "An administrator has switched tools off." in page
