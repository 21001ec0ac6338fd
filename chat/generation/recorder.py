"""Writes what grew: all runs of the process in one transaction, about once a second, and the end."""

from __future__ import annotations

import threading

from django.db.models import F
from django.utils import timezone

from backends.database import write_transaction
from backends.models import CatalogueModel
from chat.generation.activities import save_activities
from chat.generation.ask_rows import close_asks_of
from chat.generation.memory import left_behind
from chat.generation.queue import LEASE, WORKER
from chat.generation.run import Run
from chat.generation.texts import clean
from chat.models import Conversation, Generation, Message, Status, Step, StoredText

#: One save after the other: an older text must not be committed behind a newer one. SQLite's one writer
#: sees to that by itself, PostgreSQL does not.
_one_after_the_other = threading.Lock()


def save_progress(runs: list[Run]) -> None:
    """Keep the text so far of the runs that grew, and renew the lease of all of them."""
    with _one_after_the_other, write_transaction():
        for run in runs:
            if run.dirty:
                run.dirty = False
                save_text(run)
            save_activities(run.activities.unsaved())
            save_steps(run.unsaved_steps())
        save_receipts(runs)
        Generation.objects.filter(
            pk__in=[run.generation_id for run in runs], status=Status.RUNNING, worker=WORKER
        ).update(lease_until=timezone.now() + LEASE)


def save_text(run: Run) -> None:
    """The message's text as it is now."""
    Message.objects.filter(pk=run.message_id).update(
        text=clean(str(run.text)), reasoning=clean(str(run.reasoning)), reasoning_seconds=run.thought_seconds
    )


def save_steps(steps: list[Step]) -> None:
    """Insert rounds of one generation that are not there yet; nothing where that was deleted."""
    if not steps or not Generation.objects.select_for_update().filter(pk=steps[0].generation_id).exists():
        return
    Step.objects.bulk_create(steps, ignore_conflicts=True)
    Message.objects.filter(generations=steps[0].generation_id).update(has_steps=True)


def save_receipts(runs: list[Run]) -> None:
    """What models were asked since the last save. No query where nothing was."""
    fresh = [(run, run.receipt) for run in runs if run.receipt and run.receipt.unsaved]
    StoredText.keep(text for _run, receipt in fresh for text in receipt.texts())
    for run, receipt in fresh:
        receipt.unsaved = False
        Generation.objects.filter(pk=run.generation_id).update(**receipt.columns())


def save_ends(runs: list[Run]) -> None:
    """Keep the final state of runs that ended, together; some have only ended for now."""
    with _one_after_the_other, write_transaction():
        ended = [run.receipt for run in runs if run.receipt and run.status is not Status.QUEUED]
        StoredText.keep(text for receipt in ended for text in receipt.texts())
        for run in runs:
            if run.status is Status.QUEUED:
                save_wait(run)
            else:
                save_end(run)


def save_end(run: Run) -> None:
    """The final state of one run."""
    save_text(run)
    save_activities(run.activities.all())
    save_steps(run.steps)
    if run.asked:
        close_asks_of([run.generation_id])
    Generation.objects.filter(pk=run.generation_id).update(**final_values(run))
    learn(run)
    unread = {"unread": True} if run.unseen and run.status in (Status.COMPLETED, Status.FAILED) else {}
    Conversation.objects.filter(pk=run.conversation_id).update(
        revision=F("revision") + 1, updated_at=timezone.now(), **unread
    )


def save_wait(run: Run) -> None:
    """A run that could not reach its backend is queued again."""
    Generation.objects.filter(pk=run.generation_id).update(
        status=Status.QUEUED,
        worker="",
        lease_until=None,
        started_at=None,
        awaits_server=True,
        waits=run.waits,
        retry_at=run.retry_at,
    )
    Conversation.objects.filter(pk=run.conversation_id).update(revision=F("revision") + 1)


def final_values(run: Run) -> dict[str, object]:
    """The columns of a generation that ended."""
    usage = run.usage
    return {
        "status": run.status,
        "lease_until": None,
        "awaits_server": False,
        "retry_at": None,
        "finished_at": run.finished_at or timezone.now(),
        "finish_reason": run.finish_reason,
        "error_kind": run.error_kind,
        "error_message": clean(run.error_message),
        "error_hint": run.error_hint,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "tokens_per_second": run.tokens_per_second,
        "ttft_ms": run.ttft_ms,
        "load_ms": round(usage.load_s * 1000) if usage and usage.load_s else None,
        "answered_by": clean((run.started.model or "")[:250]) if run.started else "",
        "details": details_of(run),
        "state": state_left_behind(run),
        **(run.receipt.columns() if run.receipt else {}),
        "context": context_of(run),
    }


def context_of(run: Run) -> dict[str, object]:
    """What filled the model's window, or was too much for it."""
    if run.refused:
        window = run.refused.window
        return {"window": window.tokens, "source": window.source.value, "needed": run.refused.tokens}
    return run.fit.stored(run.last_usage) if run.fit else {}


def learn(run: Run) -> None:
    """Keep what the server's count teaches of its model's tokens. No query where that is nothing new."""
    if run.fit is None or run.steps or run.status is not Status.COMPLETED:
        return
    if ratio := run.fit.teaches(run.usage):
        CatalogueModel.objects.filter(backend=run.backend_id, model_id=run.model_id).update(
            bytes_per_token=ratio
        )


def details_of(run: Run) -> dict[str, object]:
    """What has no column of its own: routing headers, and why a model's calls ended."""
    details: dict[str, object] = {}
    if run.started and run.started.headers:
        details["headers"] = dict(run.started.headers)
    if run.tools_end:
        details["tools_end"] = run.tools_end.value
    return details


def state_left_behind(run: Run) -> dict[str, str]:
    """What a stateful backend wants to see in the next turn. Only a whole answer's response may be named."""
    whole = run.finish if run.status is Status.COMPLETED else None
    return left_behind(
        run.fingerprint,
        clean(str(run.text)),
        whole.response_id if whole else None,
        run.started.session_id if run.started else None,
    )
