"""OpenCode's server: a coding agent with sessions, used here as a chat."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from backends.adapters.base import Adapter, Endpoint, Health, ModelInfo
from backends.adapters.errors import (
    BackendError,
    BadRequest,
    ErrorKind,
    NotFound,
    StateLost,
    Unsupported,
    WrongService,
    gettext_noop,
)
from backends.adapters.events import Ask, AskAnswer, Event, Phase, Started, Status, Verdict
from backends.adapters.http import Http
from backends.adapters.messages import ChatRequest
from backends.adapters.opencode_answer import OpenCodeAnswer
from backends.adapters.opencode_api import OpenCodeApi, session_path
from backends.adapters.opencode_feed import Feed
from backends.adapters.opencode_history import turns_in
from backends.adapters.opencode_missed import frames_of
from backends.adapters.opencode_models import model_ref, models_in
from backends.adapters.opencode_reply import Reply
from backends.adapters.opencode_sessions import Session, is_lost, new_session, session_for
from backends.adapters.opencode_wire import Frame, amended, ask_answer, legacy_answer, prompt_body
from backends.adapters.options import Option, choice
from backends.adapters.values import as_dict, as_str

#: Seconds that stopping may take.
ABORT_LIMIT = 3.0
#: Seconds that an answer is given to get where an abort does no harm: while somebody waits, and afterwards.
STEADY_LIMIT = 2.5
LATER_LIMIT = 60.0
#: What the model hears where nobody gave a reason.
DENIED = gettext_noop("Not available in this app.")
_LOST = gettext_noop("OpenCode forgot this conversation; its history is sent anew.")


class OpenCodeAdapter(Adapter):
    """Speaks OpenCode's session API.

    The session is in ``Started.session_id``, and wanted back in ``ChatRequest.state``.
    Leaving the stream early aborts the work on the server.
    """

    kind = "opencode"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.CONNECT: gettext_noop(
            "Is OpenCode running? Start it with “opencode serve --hostname 0.0.0.0”; its port is 4096."
        ),
        ErrorKind.WRONG_SERVICE: gettext_noop(
            "This is not OpenCode's server. Check the port: OpenCode's own is 4096."
        ),
        ErrorKind.AUTH: gettext_noop(
            "OpenCode wants the user name and password it was started with (OPENCODE_SERVER_PASSWORD)."
        ),
        ErrorKind.MODEL_NOT_FOUND: gettext_noop(
            "Pick another model, or connect its provider in OpenCode (“opencode auth login”)."
        ),
    }
    sampling_fields = frozenset({"reasoning"})
    names_thinkers = True
    options = (
        choice(
            "tools",
            gettext_noop("Tools of the agent"),
            {
                "ask": gettext_noop("Ask the person before each use"),
                "server": gettext_noop("As OpenCode is configured; it may run commands without asking"),
            },
            unset=gettext_noop("None: only talk"),
        ),
        choice(
            "asks",
            gettext_noop("What OpenCode asks"),
            {"deny": gettext_noop("Deny by itself")},
            unset=gettext_noop("Show to the person"),
        ),
        Option(
            "agent",
            gettext_noop("Agent"),
            gettext_noop("Its name in OpenCode, for example build or plan."),
        ),
        Option(
            "variant",
            gettext_noop("Variant"),
            gettext_noop("Of the model, for example high; a conversation's own level of thinking beats it."),
        ),
        Option(
            "directory",
            gettext_noop("Folder of the project"),
            gettext_noop("The whole path on OpenCode's machine."),
        ),
    )

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(endpoint, http)
        self._api = OpenCodeApi(endpoint, http)

    async def health(self) -> Health:
        """``/global/health`` says that it is well, and which version it is."""
        answer = as_dict(await self._api.get("/global/health"))
        if answer.get("healthy") is not True:
            raise WrongService("the server does not say that it is healthy")
        return Health(version=as_str(answer.get("version")))

    async def list_models(self) -> list[ModelInfo]:
        """The models of the connected providers, named ``provider/model``."""
        for path in ("/config/providers", "/provider"):
            with suppress(NotFound, WrongService, BadRequest):
                if (models := models_in(await self._api.get(path))) is not None:
                    return models
        raise WrongService("there is no list of providers")

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One reply. Events are listened to before the question is asked: they are not repeated."""
        if request.response_schema is not None:
            raise Unsupported("OpenCode does not answer by a JSON schema")
        model_ref(request.model)
        session = await session_for(self._api, request)
        feed = Feed(self._api)
        reply: Reply | None = None
        asked = False
        try:
            await feed.open()
            asked = True
            try:
                session, said = await self._asked(request, session)
            except BackendError as error:
                asked = error.status is None  # otherwise it was refused, and nothing is to be stopped
                raise
            answer = OpenCodeAnswer(self._api.endpoint, session.id, session.known)
            reply = Reply(self._api, feed, answer)
            yield _opening(request, session)
            async with aclosing(reply.batches(said)) as batches:
                async for batch in batches:
                    if events := await self._answered(batch):
                        yield events
        finally:
            if asked and reply is None:
                reply = Reply(self._api, feed, OpenCodeAnswer(self._api.endpoint, session.id, session.known))
            if reply is not None and reply.working:
                await self._leave(feed, reply, replace(request, state={"session_id": session.id}))
            else:
                await feed.close()

    async def abort(self, request: ChatRequest) -> None:
        """Stop the work on this request. What a session does for another question goes on."""
        session_id = request.state.get("session_id", "")
        if session_id and await self._works_on(session_id, request):
            await self._api.post(session_path(session_id, "abort"), timeout=ABORT_LIMIT)

    async def reply(self, ask: Ask, answer: AskAnswer, message: str = DENIED) -> None:
        """Answer a request for permission, or a question.

        A denial with an empty message ends the whole run; with one the model goes on and knows why.
        """
        end, body = ask_answer(ask, answer, message)
        try:
            await self._api.post(f"/{ask.kind}/{quote(ask.id, safe='')}/{end}", body)
        except (NotFound, WrongService, BadRequest) as error:
            if ask.kind != "permission" or "not found:" in error.message:
                raise
            session_id = as_str(ask.payload.get("session_id"))
            path = session_path(session_id, "permissions", quote(ask.id, safe=""))
            await self._api.post(path, {"response": legacy_answer(answer)})

    async def _asked(self, request: ChatRequest, session: Session) -> tuple[Session, list[Frame] | None]:
        """Send the question, to a new session where the server has forgotten this one.

        Gives the whole reply too where the server has no other way than to answer at once.
        """
        try:
            return session, await self._prompt(request, session)
        except StateLost:
            if session.lost:
                raise
        session = await new_session(self._api, request, lost=True)
        return session, await self._prompt(request, session)

    async def _prompt(self, request: ChatRequest, session: Session) -> list[Frame] | None:
        body = prompt_body(request, self._api.endpoint.options, session.seed)
        try:
            await self._send(session_path(session.id, "prompt_async"), body, None)
        except (NotFound, WrongService, BadRequest) as error:
            if isinstance(error, BadRequest) and error.status != 405:
                raise
            _raise_if_lost(error)
        else:
            return None
        limit = self._api.endpoint.timeouts.first_byte
        try:
            answer = await self._send(session_path(session.id, "message"), body, limit)
        except NotFound as error:
            _raise_if_lost(error)
            raise
        return frames_of([_owned(as_dict(answer), session)], ())

    async def _send(self, path: str, body: dict[str, Any], limit: float | None) -> Any:
        """Without a field that an old server refuses by name."""
        try:
            return await self._api.post(path, body, timeout=limit)
        except BadRequest as error:
            smaller = amended(body, error.message)
            if smaller is None:
                raise
        return await self._send(path, smaller, limit)

    async def _answered(self, batch: list[Event]) -> list[Event]:
        """The events without the requests that the option ``asks: deny`` answers."""
        if self._api.endpoint.options.get("asks") != "deny":
            return batch
        asks = [event for event in batch if isinstance(event, Ask)]
        for ask in asks:
            with suppress(NotFound):
                await self.reply(ask, Verdict.DENY)
        return [event for event in batch if not isinstance(event, Ask)]

    async def _works_on(self, session_id: str, request: ChatRequest) -> bool:
        """Whether the session's last question is ours; yes where it cannot be told."""
        try:
            turns = turns_in(await self._api.get(session_path(session_id, "message")))
        except BackendError:
            return True
        last = request.messages[-1].text if request.messages else ""
        return not turns or turns[-1].question.split() == last.split()

    async def _leave(self, feed: Feed, reply: Reply, request: ChatRequest) -> None:
        """End the work: now, or where a server is slow to begin, once it can be ended."""
        try:
            await reply.until_steady(STEADY_LIMIT)
        finally:
            if reply.working and not reply.steady:
                self._api.http.in_background(self._leave_later(feed, reply, request))
            else:
                await feed.close()
                if reply.working:
                    await self._abort(request.state["session_id"])

    async def _leave_later(self, feed: Feed, reply: Reply, request: ChatRequest) -> None:
        try:
            await reply.until_steady(LATER_LIMIT)
        finally:
            await feed.close()
        if reply.working:
            with suppress(BackendError):
                await self.abort(request)

    async def _abort(self, session_id: str) -> None:
        with suppress(BackendError):
            await self._api.post(session_path(session_id, "abort"), timeout=ABORT_LIMIT)


def _raise_if_lost(error: BackendError) -> None:
    if isinstance(error, NotFound) and is_lost(error):
        raise StateLost(error.message, status=error.status, code=error.code) from error


def _owned(message: dict[str, Any], session: Session) -> dict[str, Any]:
    """The message of a synchronous reply, which need not say whose it is."""
    return {**message, "info": {**as_dict(message.get("info")), "sessionID": session.id}}


def _opening(request: ChatRequest, session: Session) -> list[Event]:
    events: list[Event] = [Started(model=request.model, session_id=session.id)]
    if session.lost:
        events.append(Status(Phase.RETRYING, detail=_LOST))
    return events
