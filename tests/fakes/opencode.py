"""A fake OpenCode: sessions, prompts and the one stream of events, with Basic auth if it has a password.

``seen`` is what the model would read at each question, the session so far included. A question with
``!wait`` in it is answered with one sentence and then worked on until somebody aborts, one with
``!silent`` is worked on without a word, and may be aborted after ``slow`` seconds; ``aborted`` lists the
sessions, and ``working`` those that go on.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from functools import partial
from itertools import count
from typing import Any

from tests.fakes.exchange import Exchange, ExchangeServer


class FakeOpenCode(ExchangeServer):
    """One provider, ``local``, with one model; it tells everybody its ``provider_key``, as OpenCode does."""

    def __init__(self, *, model: str = "m", password: str = "", provider_key: str = "", **where: Any) -> None:
        super().__init__(**where)
        self.model, self.password, self.provider_key = model, password, provider_key
        self.username = "opencode"
        self.slow = 0.3
        self.prompts: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.aborted: list[str] = []
        self.working: set[str] = set()
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self._listeners: set[Exchange] = set()
        self._ids = count(1)

    async def answer(self, exchange: Exchange) -> None:
        request = exchange.request
        if self.password and request.headers.get("authorization") != self._pass():
            exchange.reply(401, WWW_Authenticate='Basic realm="Secure Area"')
            return
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["global", "health"]:
                exchange.reply(200, {"healthy": True, "version": "1.18.34"})
            case "GET", ["config", "providers"]:
                exchange.reply(200, self._providers())
            case "GET", ["event"]:
                await self._listen(exchange)
            case "GET", ["session", "status"]:
                exchange.reply(200, {session: {"type": "busy"} for session in self.working})
            case "GET", ["permission" | "question"]:
                exchange.reply(200, [])
            case "POST", ["session"]:
                exchange.reply(200, {"id": self._new_session()})
            case _, ["session", session, *rest] if session in self.sessions:
                self._in_session(exchange, session, rest)
            case "GET" | "POST", ["session", *_]:
                exchange.reply(404, {"name": "NotFoundError", "data": {"message": "Session not found"}})
            case _:
                exchange.reply(200, b"<!doctype html><title>OpenCode</title>", "text/html")

    def _in_session(self, exchange: Exchange, session: str, rest: list[str]) -> None:
        match rest:
            case ["message"]:
                exchange.reply(200, self.sessions[session])
            case ["prompt_async"]:
                exchange.reply(204)
                self._prompt(session, exchange.request.json)
            case ["abort"]:
                self.aborted.append(session)
                self._abort(session)
                exchange.reply(200, True)
            case _:
                exchange.reply(200, {"id": session})

    def _pass(self) -> str:
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()

    def _providers(self) -> dict[str, Any]:
        model = {"id": self.model, "name": "Open model", "limit": {"context": 4096, "output": 1024}}
        options = {"apiKey": self.provider_key, "baseURL": "http://127.0.0.1:9/v1"}
        provider = {"id": "local", "name": "Local", "options": options, "models": {self.model: model}}
        return {"providers": [provider], "default": {"local": self.model}}

    def _new_session(self) -> str:
        session = f"ses_{next(self._ids)}"
        self.sessions[session] = []
        return session

    async def _listen(self, exchange: Exchange) -> None:
        exchange.stream()
        exchange.event({"type": "server.connected", "properties": {}})
        self._listeners.add(exchange)
        try:
            await exchange.gone.wait()
        finally:
            self._listeners.discard(exchange)

    def _tell(self, kind: str, session: str, **properties: Any) -> None:
        for listener in self._listeners:
            listener.event({"type": kind, "properties": {"sessionID": session, **properties}})

    def _prompt(self, session: str, body: dict[str, Any]) -> None:
        self.prompts.append(body)
        asked = [part["text"] for part in body["parts"] if part["type"] == "text"]
        history = self.sessions[session]
        before = [part["text"] for entry in history for part in entry["parts"]]
        self.seen.append("\n".join([*filter(None, [body.get("system")]), *before, *asked]))
        user = self._message(session, "user", asked)
        said = f"Code answer {len(self.seen)}."
        answer = self._message(session, "assistant", [said], parentID=user["info"]["id"])
        self._tell("message.updated", session, info=user["info"])
        for part in user["parts"]:
            self._tell("message.part.updated", session, part=part)
        self._tell("session.status", session, status={"type": "busy"})
        self._tell("message.updated", session, info=dict(answer["info"]))
        if "!silent" in asked[-1]:
            self.working.add(session)
            busy = partial(self._tell, "session.status", session, status={"type": "busy"})
            asyncio.get_running_loop().call_later(self.slow, busy)
            return
        part = answer["parts"][0]
        self._tell("message.part.updated", session, part={**part, "text": ""})
        self._tell(
            "message.part.delta", session,
            messageID=part["messageID"], partID=part["id"], field="text", delta=said,
        )  # fmt: skip
        if "!wait" in asked[-1]:
            self.working.add(session)
        else:
            self._finish(session, answer)

    def _finish(self, session: str, answer: dict[str, Any]) -> None:
        answer["info"]["time"]["completed"] = 2000
        answer["info"]["finish"] = "stop"
        self._tell(
            "message.part.updated", session, part={**answer["parts"][0], "time": {"start": 1, "end": 2}}
        )
        self._tell("message.updated", session, info=answer["info"])
        self._idle(session)

    def _abort(self, session: str) -> None:
        if session in self.working:
            self.working.discard(session)
            self._tell("session.error", session, error={"name": "MessageAbortedError", "data": {}})
            self._idle(session)

    def _idle(self, session: str) -> None:
        self._tell("session.status", session, status={"type": "idle"})
        self._tell("session.idle", session)

    def _message(self, session: str, role: str, texts: list[str], **more: Any) -> dict[str, Any]:
        message = f"msg_{next(self._ids)}"
        info = {"id": message, "sessionID": session, "role": role, "time": {"created": 1000}, **more}
        parts = [
            {"id": f"prt_{next(self._ids)}", "sessionID": session, "messageID": message, "type": "text", "text": text}
            for text in texts
        ]  # fmt: skip
        entry = {"info": info, "parts": parts}
        self.sessions[session].append(entry)
        return entry
