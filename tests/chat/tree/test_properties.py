"""Whatever is done in whichever order: the path is connected, nothing is lost, nothing foreign is shown."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.models import Backend
from chat.models import Conversation, Generation, Message, MessageRole, Status
from chat.presenting.thread import thread_view
from chat.services import branches, deleting, editing
from chat.services.answers import retry
from chat.services.refusals import Refused
from chat.services.sending import send_message, start_conversation
from chat.trash import destroy
from chat.tree.reading import tree_of
from privatechathub.accounts.models import User

pytestmark = pytest.mark.django_db

MODEL = "demo/play"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ask", "retry", "edit", "edit", "show", "show", "delete", "prune", "undo", "fork", "destroy"]
        ),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=14,
)


@dataclass
class Talks:
    """What must be there: for each conversation the messages that it shows in one way or another."""

    user: User
    shown: dict[uuid.UUID, set[int]] = field(default_factory=dict)
    deleted: dict[uuid.UUID, set[int]] = field(default_factory=dict)

    def begin(self) -> None:
        sent = start_conversation(self.user, "Hello", MODEL, uuid.uuid4().hex)
        self.shown[sent.conversation.pk] = {sent.question.pk, sent.answer.pk}
        finish()

    def pick(self, at: int) -> Conversation:
        keys = sorted(self.shown)
        return Conversation.objects.select_related("backend").get(pk=keys[at % len(keys)])

    def do(self, verb: str, at: int, which: int) -> None:
        talk = self.pick(at)
        if verb in ("ask", "undo", "destroy"):
            getattr(self, verb)(talk)
        elif ids := sorted(self.shown[talk.pk]):
            getattr(self, verb)(talk, Message.objects.get(pk=ids[which % len(ids)]))

    def ask(self, talk: Conversation) -> None:
        sent = send_message(self.user, talk, "And?", MODEL, uuid.uuid4().hex)
        self.added(talk, sent.question.pk, sent.answer.pk)

    def retry(self, talk: Conversation, row: Message) -> None:
        answer = retry(self.user, row, MODEL, within=talk).message
        self.added(talk, answer.pk)

    def edit(self, talk: Conversation, row: Message) -> None:
        before = set(Message.objects.values_list("pk", flat=True))
        editing.edit(self.user, talk, row, "Edited", MODEL, ())
        self.added(talk, *set(Message.objects.values_list("pk", flat=True)) - before)

    def added(self, talk: Conversation, *ids: int) -> None:
        self.shown[talk.pk] |= set(ids)
        self.deleted.pop(talk.pk, None)
        finish()
        assert Conversation.objects.get(pk=talk.pk).head_id in ids, "what is new is shown"

    def show(self, talk: Conversation, row: Message) -> None:
        head = talk.head_id
        assert head is not None
        branches.show(talk, row.pk)
        assert branches.is_shown(Conversation.objects.get(pk=talk.pk), row.pk)
        if talk.forked_from_id is None:
            branches.show(talk, head)
            assert Conversation.objects.get(pk=talk.pk).head_id == head
            branches.show(talk, row.pk)
            again = Conversation.objects.get(pk=talk.pk).head_id
            branches.show(talk, head)
            branches.show(talk, row.pk)
            assert Conversation.objects.get(pk=talk.pk).head_id == again, "the chosen path is remembered"

    def delete(self, talk: Conversation, row: Message) -> None:
        answers = row.children.filter(role=MessageRole.ASSISTANT).values_list("pk", flat=True)
        gone = {row.pk} | (set(answers) if row.role == MessageRole.USER else set())
        self.remove(talk, row, gone, deleting.delete_message)

    def prune(self, talk: Conversation, row: Message) -> None:
        parents = dict(Message.objects.values_list("pk", "parent_id"))

        def is_below(pk: int | None) -> bool:
            return pk is not None and (pk == row.pk or is_below(parents[pk]))

        self.remove(talk, row, {pk for pk in self.shown[talk.pk] if is_below(pk)}, deleting.delete_branch)

    def remove(
        self,
        talk: Conversation,
        row: Message,
        gone: set[int],
        remove: Callable[[Conversation, Message], None],
    ) -> None:
        try:
            remove(talk, row)
        except Refused:
            assert row.conversation_id != talk.pk
            return
        assert row.conversation_id == talk.pk
        self.deleted[talk.pk] = gone & self.shown[talk.pk]
        self.shown[talk.pk] -= gone

    def undo(self, talk: Conversation) -> None:
        back = self.deleted.pop(talk.pk, None)
        try:
            deleting.undo(talk)
        except Refused:
            assert not back
            return
        assert back
        self.shown[talk.pk] |= back
        path = Conversation.objects.get(pk=talk.pk).path_ids()
        assert back & set(path), "what came back is in view"

    def fork(self, talk: Conversation, row: Message) -> None:
        branches.show(talk, row.pk)
        made = branches.fork(talk, row)
        path = tree_of(talk).path(row.pk)
        assert made.path_ids() == path
        assert made.messages.count() == 0
        self.shown[made.pk] = set(path)

    def destroy(self, talk: Conversation) -> None:
        if len(self.shown) > 1:
            destroy(Conversation.objects.filter(pk=talk.pk))
            del self.shown[talk.pk]
            self.deleted.pop(talk.pk, None)


def finish() -> None:
    """Every answer is there."""
    Generation.objects.update(status=Status.COMPLETED)
    Message.objects.filter(text="").update(text="Answer")


def check(talks: Talks) -> None:
    for pk, shown in talks.shown.items():
        talk = Conversation.objects.get(pk=pk)
        tree = tree_of(talk)
        assert {node for node in tree.nodes if tree.shows(node)} == shown, "nothing is lost, nothing appears"
        path = talk.path_ids()
        assert path == tree.path(talk.head_id), "one query and the tree agree"
        assert set(path) <= shown
        assert bool(path) == bool(shown), "where there is something, something is shown"
        if path:
            assert tree.children(path[-1]) == [], "a path goes to its end"
            assert tree.parent(path[0]) is None
        view = thread_view(talk)
        assert [message.id for message in view.messages] == path[-30:]
        for message in view.messages:
            versions = tree.versions(message.id)
            expected = (versions.index(message.id) + 1, len(versions)) if len(versions) > 1 else None
            found = message.versions and (message.versions.number, message.versions.count)
            assert found == expected, "the arrows lead to all versions"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_the_tree_holds(
    alice: User, demo: Backend, steps: list[tuple[str, int, int]]
) -> None:
    Conversation.objects.update(head=None)
    Conversation.objects.all().delete()
    talks = Talks(alice)
    talks.begin()
    for verb, at, which in steps:
        talks.do(verb, at, which)
        check(talks)
