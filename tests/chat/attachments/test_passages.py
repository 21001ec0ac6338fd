"""A document goes whole while it fits; of a longer one passages that match the question, which one can look up."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from backends.models import Backend, CatalogueModel
from chat.generation.estimate import USUAL
from chat.generation.prompt import prepare
from chat.generation.reading import Shelf, told_of
from chat.generation.rebuild import begun
from chat.models import Conversation, Generation, Message, Status, TextIndex
from chat.passages.cutting import LENGTH, SHORT, Span, cut
from chat.passages.index import Index
from chat.passages.ranking import best, weights
from chat.passages.terms import terms
from chat.presenting.excerpts import numbers_in
from chat.presenting.message import message_views
from chat.services.sending import Sent, send_message, start_conversation
from chat.trash import destroy
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import upload
from tests.chat.attachments.test_documents import pdf

PDF = "application/pdf"
FILLER = "Nothing of note happened on this day, and nobody wrote anything down about it. " * 11
#: Forty pages; page 12 has what is asked for.
LINES = [f"Day {number}. {FILLER}" for number in range(1, 41)]
LINES[11] = "The lighthouse keeper measured a spring tide of seven metres at Emden."
REPORT = pdf(*LINES)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def ask_about(alice: User, demo: Backend) -> Callable[..., Sent]:
    """Alice asks a model with a small window about files."""
    CatalogueModel.objects.update(context_length=8192)

    def send(text: str, *files: tuple[str, bytes], conversation: Any = None) -> Sent:
        uploads = [upload(name, data) for name, data in files]
        if conversation:
            return send_message(alice, conversation, text, "demo/play", "", uploads)
        return start_conversation(alice, text, "demo/play", "", uploads)

    return send


def finish(sent: Sent, text: str) -> None:
    Message.objects.filter(pk=sent.answer.pk).update(text=text)
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED, finish_reason="stop")


def asked(sent: Sent) -> str:
    return prepare(sent.generation.pk).request.messages[-1].text


@given(
    st.text(alphabet=st.sampled_from("aé漢 \n#[]1\x0c\u2028") | st.characters(codec="utf-8"), max_size=4000)
)
def test_passages_are_the_text_to_the_letter(text: str) -> None:
    spans = cut(text, PDF)

    assert "".join("".join(text[span.start : span.end] for span in spans).split()) == "".join(text.split())
    assert all(0 < span.end - span.start <= LENGTH + SHORT for span in spans)
    assert all(one.end <= two.start for one, two in pairwise(spans))


def test_passages_know_their_place() -> None:
    text = "[Page 1]\nfirst\n\n[Page 3]\n" + "third " * 250

    assert [span.place for span in cut(text, PDF)] == ["page:1", "page:3", "page:3"]
    assert [span.place for span in cut("[Page 1]\n" + "x\n" * 900, "text/plain")] == ["line:1", "line:597"]
    assert [
        span.place for span in cut("# Tides\n" + "a " * 300 + "\n## Moon\nb", "application/epub+zip")
    ] == [
        "heading:Tides",
        "heading:Moon",
    ]
    assert [span.place for span in cut("## Sheet: Ports\n\na\tb", PDF)] == ["sheet:Ports"]


def test_words_are_found_whatever_their_case_accents_and_endings() -> None:
    assert terms("Verträge, VERTRAGES") == ["vertra", "vertra"]
    assert terms("潮汐表 1234567") == ["潮汐", "汐表", "1234567"]
    assert terms("foo_bar") == ["foo", "bar"]


def test_what_is_kept_of_an_index_is_what_it_was() -> None:
    index = Index.of("tides rise\n\ntides fall", PDF)

    kept = Index.unpacked(index.packed())

    assert kept.spans == index.spans == (Span(0, 22, ""),)
    assert list(kept.counts("tides")) == [(0, 2)]


def test_rare_words_count_more_and_the_question_before_a_little() -> None:
    texts = ["the moon the moon " * 40, "the tide of the sea " * 40, "the " * 200]
    indexes = [Index.of(text, PDF) for text in texts]

    assert [hit.document for hit in best(indexes, weights("the tide"), 2000, 1)] == [1]
    assert [hit.document for hit in best(indexes, weights("and why?", "the tide"), 2000, 1)] == [1]
    assert [hit.document for hit in best(indexes, weights("xyzzy"), 9000, 3)] == [0, 1, 2]
    assert best(indexes, weights("tide"), 10, 3) == []
    assert best([], weights("tide"), 10, 3) == []


def test_a_document_that_fits_is_sent_whole(ask_about: Callable[..., Sent]) -> None:
    sent = ask_about("What about the tide?", ("short.pdf", pdf("Tides rise")))

    assert "[Page 1]\nTides rise" in asked(sent)
    assert Generation.objects.get().passages == {}
    assert not TextIndex.objects.exists()


def test_of_a_long_document_the_passages_are_sent_that_the_question_is_about(
    ask_about: Callable[..., Sent],
) -> None:
    sent = ask_about("How high was the spring tide?", ("report.pdf", REPORT))

    question = asked(sent)

    assert '<document name="report.pdf">\n[Too long to be sent whole.' in question
    assert 'document="report.pdf" page="12">\n[Page 12]\nThe lighthouse keeper' in question
    assert len(question) < 8192 * USUAL * 0.5 + 1000
    assert {entry["place"] for entry in Generation.objects.get().passages["passages"]} >= {"page:12"}


def test_without_a_word_in_common_passages_from_all_over_are_sent(ask_about: Callable[..., Sent]) -> None:
    sent = ask_about("Zusammenfassen!", ("report.pdf", REPORT))

    pages = [int(number) for number in re.findall(r'page="(\d+)"', asked(sent))]

    assert pages[0] == 1
    assert pages == sorted(pages)
    assert pages[-1] > 25


def test_dense_writing_takes_as_much_of_the_window_as_other_writing(ask_about: Callable[..., Sent]) -> None:
    filler = "".join(chr(0x4E00 + number % 3000) for number in range(9_000))
    sent = ask_about("潮汐表在哪里?", ("tides.txt", f"{filler}\n潮汐表在港口\n{filler}".encode()))

    question = asked(sent)

    assert "潮汐表在港口" in question
    assert len(question.encode()) < 8192 * USUAL * 0.5 + 2000


def test_the_first_documents_fit_and_the_later_ones_do_not(ask_about: Callable[..., Sent]) -> None:
    sent = ask_about("tide", ("a.txt", b"whole\n" * 1500), ("b.txt", b"partly tide\n" * 1500))

    question = asked(sent)

    assert "whole\nwhole" in question
    assert 'document="b.txt" line="1"' in question
    assert [*Generation.objects.get().passages["files"].values()] == ["b.txt"]


def test_the_next_question_has_its_own_passages(ask_about: Callable[..., Sent]) -> None:
    first = ask_about("How high was the spring tide?", ("report.pdf", REPORT))
    finish(first, "Seven metres [1].")
    second = ask_about("What was on day 30?", conversation=first.conversation)

    messages = prepare(second.generation.pk).request.messages

    assert "<passages>" not in messages[0].text
    assert "[Too long to be sent whole." in messages[0].text
    assert "Day 30." in messages[-1].text


def test_a_larger_window_takes_the_same_document_whole(ask_about: Callable[..., Sent]) -> None:
    sent = ask_about("tide", ("report.pdf", REPORT))
    assert "<passages>" in asked(sent)

    CatalogueModel.objects.update(context_length=131_072)

    assert "<passages>" not in asked(sent)
    assert Generation.objects.get().passages == {}


def test_what_was_counted_is_kept_once_and_goes_with_the_file(
    ask_about: Callable[..., Sent],
    django_assert_max_num_queries: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    first = ask_about("tide", ("a.pdf", REPORT))
    second = ask_about("tide", ("b.pdf", REPORT))
    asked(first)
    asked(second)
    assert TextIndex.objects.count() == 1

    with django_capture_on_commit_callbacks(execute=True):
        destroy(Conversation.objects.filter(pk=first.conversation.pk))
    assert TextIndex.objects.count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        destroy(Conversation.objects.filter(pk=second.conversation.pk))
    assert TextIndex.objects.count() == 0


def test_the_person_sees_what_was_sent_and_opens_it_at_the_place(
    ask_about: Callable[..., Sent], as_alice: Client, as_bob: Client
) -> None:
    sent = ask_about("How high was the spring tide?", ("report.pdf", REPORT))
    prepare(sent.generation.pk)
    number = [entry["place"] for entry in Generation.objects.get().passages["passages"]].index("page:12") + 1
    finish(sent, f"Seven metres [{number}].")

    (view,) = message_views([sent.answer.pk])
    assert view.excerpts
    (cited,) = view.excerpts.cited
    page = as_alice.get(cited.url).content.decode()
    thread = as_alice.get(sent.conversation.get_absolute_url()).content.decode()

    assert cited.label == "report.pdf p. 12"
    assert f'<span>[{number}]</span> <span class="passage-name" dir="auto">report.pdf</span>' in thread
    assert f'href="{escape(cited.url)}"' in thread
    assert "Too long for the model’s window: “report.pdf”." in thread
    assert '<span class="file-place" id="page-12"></span><mark id="passage">[Page 12]\nThe lighthouse' in page
    assert as_bob.get(cited.url).status_code == 404


def test_a_file_that_is_gone_is_no_error(ask_about: Callable[..., Sent]) -> None:
    sent = ask_about("How high was the spring tide?", ("report.pdf", REPORT))
    prepare(sent.generation.pk)
    finish(sent, "Seven [1].")
    sent.question.attachments.all().delete()

    (view,) = message_views([sent.answer.pk])

    assert view.excerpts
    assert view.excerpts.cited


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("so [1] and [2, 3]【4】", {1, 2, 3, 4}), ("list[0] of x", {0}), ("[a] (5)", set())],
)
def test_numbers_are_read_as_models_write_them(text: str, numbers: set[int]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("asked_for", ["?from=5&to=2", "?from=x&to=-1", "?from=99999999&to=999999999999", ""])
def test_a_page_of_text_is_the_text_whatever_is_marked(
    ask_about: Callable[..., Sent], as_alice: Client, as_bob: Client, asked_for: str
) -> None:
    text = "\n<script>alert(1)</script> & more\n"
    sent = ask_about("x", ("a.html", text.encode()))
    row = sent.question.attachments.get()

    page = as_alice.get(f"/attachments/{row.pk}/read/{asked_for}")

    assert "\n&lt;script&gt;alert(1)&lt;/script&gt; &amp; more\n</pre>" in page.content.decode()
    assert "<mark" not in page.content.decode()
    assert as_bob.get(f"/attachments/{row.pk}/read/").status_code == 404
    assert Client().get(f"/attachments/{row.pk}/read/").status_code == 302


def test_an_answer_without_long_documents_costs_no_query_more(
    ask_about: Callable[..., Sent], django_assert_num_queries: Any
) -> None:
    plain = ask_about("Hello")
    finish(plain, "Hi.")
    with django_assert_num_queries(0):
        assert not told_of([plain.question], Shelf(10))


def test_a_receipt_leads_back_to_the_same_passages(ask_about: Callable[..., Sent]) -> None:
    sent = ask_about("How high was the spring tide?", ("report.pdf", REPORT))
    prepared = prepare(sent.generation.pk)
    CatalogueModel.objects.update(context_length=131_072)

    again = begun(prepared.generation, [Message.objects.get(pk=sent.question.pk)], {})

    assert again.messages == prepared.request.messages
