"""The pages of a comparison: without a script, and as htmx asks for them."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.models import Backend
from chat.models import Comparison, Conversation, Generation, Message, Status
from tests.chat.comparing.conftest import Compare
from tests.chat.page import faults, read

pytestmark = pytest.mark.django_db

FORM = {"text": "Hello", "model-0": "demo/play", "model-1": "demo/second", "key": "k"}
OPTIONS = {
    "column-1-temperature": "0.5",
    "column-0-system_prompt": "Hm",
    "column-0-preset": "creative",
}
HTMX = {"HX-Request": "true"}


def finish() -> None:
    Message.objects.filter(role="assistant").update(text="Done")
    Generation.objects.update(status=Status.COMPLETED)


def test_the_form_offers_models_and_begins(as_alice: Client, three: Backend) -> None:
    response = as_alice.get("/compare/")
    assert not faults(response)
    page = read(response)
    assert [tag.attributes["name"] for tag in page.all("select") if "model" in tag.attributes["name"]] == [
        "model-0", "model-1", "model-2", "model-3",
    ]  # fmt: skip

    response = as_alice.post("/compare/", FORM | OPTIONS)

    comparison = Comparison.objects.get()
    assert response["Location"] == f"/compare/{comparison.pk}/"
    first, second = comparison.columns.order_by("column")
    assert (first.system_prompt, first.builtin_preset) == ("Hm", "creative")
    assert (second.options, second.builtin_preset) == ({"temperature": 0.5}, "")
    shown = as_alice.get(response["Location"])
    assert shown.status_code == 200
    assert not faults(shown)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": " "}, "Write something first."),
        ({"model-1": ""}, "Pick 2 to 4 models"),
        ({"model-1": "demo/nobody"}, "not available"),
        ({"column-1-temperature": "9"}, "less than or equal to 2"),
    ],
)
def test_a_wrong_form_comes_back_as_it_was(
    as_alice: Client, three: Backend, wrong: dict[str, str], said: str
) -> None:
    response = as_alice.post("/compare/", FORM | {"blind": "on"} | wrong)

    assert response.status_code == 422
    page = response.content.decode()
    assert said in page
    assert (wrong.get("text") or "Hello") in page
    assert read(page).one("input", id="compare-blind").attributes.get("checked") is not None
    assert not Comparison.objects.exists()


def test_asking_on_without_a_script(as_alice: Client, compare: Compare) -> None:
    comparison = compare()
    url = comparison.get_absolute_url()
    refused = as_alice.post(f"{url}messages/", {"text": "And?", "key": "l"})
    assert refused.status_code == 422
    assert "still being written" in refused.content.decode()
    assert ">And?</textarea>" in refused.content.decode()
    finish()

    assert as_alice.post(f"{url}messages/", {"text": "And?", "key": "l"})["Location"] == url
    finish()
    as_alice.post(f"{url}messages/", {"text": "Only you", "key": "m", "to": "1"})

    assert Message.objects.filter(text="And?").count() == 2
    assert [row.conversation.column for row in Message.objects.filter(text="Only you")] == [1]
    assert as_alice.post(f"{url}messages/", {"text": "x", "key": "n", "to": "7"}).status_code == 404


def test_htmx_gets_each_column_its_articles(as_alice: Client, compare: Compare) -> None:
    url = compare().get_absolute_url()
    finish()

    body = as_alice.post(f"{url}messages/", {"text": "And?", "key": "l"}, headers=HTMX).content.decode()

    assert body.count('hx-target="#messages-0" hx-swap="appendMissing"') == 1
    assert body.count('hx-target="#messages-1" hx-swap="appendMissing"') == 1
    refused = as_alice.post(f"{url}messages/", {"text": "Then?", "key": "m"}, headers=HTMX)
    assert (refused.status_code, refused["HX-Retarget"]) == (422, "#composer-error")


def test_a_column_is_read_within_its_comparison(as_alice: Client, compare: Compare) -> None:
    comparison = compare()
    column = comparison.columns.get(column=1)

    assert as_alice.get(f"/chat/{column.pk}/")["Location"] == comparison.get_absolute_url()
    fragment = as_alice.get(f"/chat/{column.pk}/", headers=HTMX, follow=True)
    assert fragment["HX-Push-Url"] == comparison.get_absolute_url()
    assert fragment.content.decode().lstrip().startswith("<main")


def test_what_goes_wrong_in_a_column_is_said_on_the_page(as_alice: Client, compare: Compare) -> None:
    comparison = compare()
    answer = Message.objects.filter(role="assistant").first()
    assert answer is not None

    plain = as_alice.post(f"/messages/{answer.pk}/retry/", follow=True)
    assert "still being written" in plain.content.decode()
    assert plain.redirect_chain[-1][0] == comparison.get_absolute_url()
    quick = as_alice.post(f"/messages/{answer.pk}/retry/", headers=HTMX)
    assert (quick.status_code, quick["HX-Retarget"]) == (422, "#composer-error")


def test_a_blind_page_holds_no_name_until_the_vote(as_alice: Client, compare: Compare) -> None:
    comparison = compare("demo/second", "demo/third", blind=True)
    url = comparison.get_absolute_url()
    finish()
    answer = Message.objects.filter(role="assistant").first()
    assert answer is not None
    settings = f"/chat/{answer.conversation_id}/settings/"
    for path in (url, f"/messages/{answer.pk}/details/", f"/messages/{answer.pk}/menu/", settings):
        page = as_alice.get(path).content.decode()
        assert "Second" not in page
        assert "second" not in page.replace("seconds", "")
        assert "Demo" not in page
    column = f"/chat/{answer.conversation_id}/"
    places = {"?x=1": url, f"?message={answer.pk}": f"{url}?message={answer.pk}", "context/": url}
    for path, place in places.items():
        assert as_alice.get(f"{column}{path}")["Location"] == place
    for ending in ("md", "txt", "html"):
        written = as_alice.get(f"{column}export/?as={ending}").content.decode()
        assert "Model " in written
        assert "Second" not in written
        assert "Third" not in written
    for path in (f"/messages/{answer.pk}/fork/", f"{column}context/new/"):
        assert "Vote first" in as_alice.post(path, follow=True).content.decode()
    assert Conversation.objects.count() == 2
    run = Generation.objects.get(message=answer)
    assert as_alice.get(f"/generations/{run.pk}/receipt/").status_code == 404

    assert as_alice.post(f"{url}vote/", {"best": "1"})["Location"] == url

    assert as_alice.get(f"/generations/{run.pk}/receipt/").status_code == 200
    page = as_alice.get(url).content.decode()
    assert "Second" in page
    assert "Third" in page
    assert "Second" in as_alice.get("/compare/").content.decode()
    again = as_alice.post(f"{url}vote/", {"best": "1"}, follow=True)
    assert "voted on this comparison already" in again.content.decode()
    assert as_alice.post(f"{url}vote/", {}).status_code == 404


def test_keeping_and_deleting_ask_first(as_alice: Client, compare: Compare) -> None:
    comparison = compare()
    url = comparison.get_absolute_url()
    kept = comparison.columns.get(column=1)

    assert "Keep this one" in as_alice.get(f"{url}keep/1/").content.decode()
    assert Conversation.objects.count() == 2
    assert as_alice.post(f"{url}keep/1/")["Location"] == f"/chat/{kept.pk}/"
    assert [row.pk for row in Conversation.objects.filter(deleted_at=None)] == [kept.pk]
    assert "The other columns were deleted." in as_alice.get(f"/chat/{kept.pk}/").content.decode()

    other = compare()
    first = other.columns.get(column=0)
    shown = HTMX | {"HX-Current-URL": f"http://testserver{other.get_absolute_url()}"}
    assert as_alice.get(f"/chat/{first.pk}/delete/").status_code == 200
    assert as_alice.post(f"/chat/{first.pk}/delete/", headers=shown)["HX-Redirect"] == "/"
    assert as_alice.get(other.get_absolute_url()).status_code == 404
    assert not other.columns.filter(deleted_at=None).exists()


def test_an_export_holds_every_column(as_alice: Client, compare: Compare) -> None:
    comparison = compare()
    finish()

    response = as_alice.get(f"{comparison.get_absolute_url()}export/?as=md")

    archive = zipfile.ZipFile(io.BytesIO(response.content))
    texts = [archive.read(name).decode() for name in archive.namelist()]
    assert len(texts) == 2
    assert all("Hello" in text for text in texts)


def test_a_page_takes_as_many_queries_however_long_the_columns_are(
    as_alice: Client, compare: Compare
) -> None:
    comparison = compare()
    url = comparison.get_absolute_url()

    def queries() -> int:
        finish()
        with CaptureQueriesContext(connection) as captured:
            as_alice.get(url)
        return len(captured)

    before = queries()
    for key in ("1", "2", "3"):
        as_alice.post(f"{url}messages/", {"text": "And?", "key": key})
        finish()
    assert queries() == before


def test_a_message_of_a_column_opens_among_the_columns(
    as_alice: Client, as_bob: Client, compare: Compare
) -> None:
    comparison = compare()
    finish()
    url = comparison.get_absolute_url()
    column = comparison.columns.get(column=1)
    old = Message.objects.get(conversation=column, role="assistant")
    head = old
    for number in range(20):
        for role in ("user", "assistant"):
            text = f"{role} {number}"
            head = Message.objects.create(conversation=column, parent=head, role=role, text=text)
    comparison.columns.filter(column=1).update(head=head)
    assert f'id="message-{old.pk}"' not in as_alice.get(url).content.decode()

    for name in ("message", "around"):
        moved = as_alice.get(f"/chat/{column.pk}/?{name}={old.pk}")
        assert moved["Location"] == f"{url}?{name}={old.pk}"
        page = as_alice.get(moved["Location"])
        assert not faults(page)
        assert f'id="message-{old.pk}"' in page.content.decode()
        assert 'id="later"' in page.content.decode()
        assert page.content.decode().count('class="column"') == 2

    quick = as_alice.get(f"{url}?message={old.pk}", headers=HTMX)
    assert quick["HX-Push-Url"] == f"{url}?message={old.pk}#message-{old.pk}"
    assert as_alice.get(f"{url}?before={head.pk}").status_code == 200
    assert as_alice.get(f"/messages/{old.pk}/")["Location"].endswith(f"?message={old.pk}#message-{old.pk}")
    elsewhere = compare()
    for path in (f"{elsewhere.get_absolute_url()}?message={old.pk}", f"{url}?message=999999"):
        assert as_alice.get(path).status_code == 404
    assert as_bob.get(f"{url}?message={old.pk}").status_code == 404


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("archive", "1 conversation archived."),
        ("tag", "1 conversation tagged."),
        ("move", "1 conversation moved."),
        ("delete", "1 conversation deleted."),
    ],
)
def test_a_comparison_counts_as_one_conversation(
    action: str, said: str, as_alice: Client, compare: Compare
) -> None:
    listed = compare().columns.get(column=0)
    Generation.objects.update(status=Status.COMPLETED)

    form = {"action": action, "conversation": [str(listed.pk)], "tags": "x", "project": ""}
    page = as_alice.post("/conversations/change/", form, follow=True).content.decode()

    assert said in page


def test_a_comparison_comes_back_and_goes_for_good_as_one(as_alice: Client, compare: Compare) -> None:
    comparison = compare()
    listed = comparison.columns.get(column=0)
    Generation.objects.update(status=Status.COMPLETED)
    form = {"action": "delete", "conversation": [str(listed.pk)]}
    as_alice.post("/conversations/change/", form)
    moment = Conversation.objects.get(pk=listed.pk).deleted_at
    assert moment is not None

    undone = as_alice.post("/conversations/restore/", {"moment": moment.isoformat()})
    assert undone.headers["Location"] == comparison.get_absolute_url()

    as_alice.post("/conversations/change/", form)
    page = as_alice.post("/conversations/change/", form | {"action": "destroy"}, follow=True).content.decode()
    assert "1 conversation deleted for good." in page
    assert not Conversation.objects.exists()
