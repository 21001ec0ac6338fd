"""After a day's use no credential can be found: not in the database, the logs, or any page.

The day: servers of every kind are added with keys by page, admin and shell; keys are wrong, changed and
forgotten; servers repeat what they were sent in their errors; answers run and fail; forms are refused.
"""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from backends.adapters.registry import KINDS
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.models import Generation, Status
from chat.services.answers import retry
from privatechathub.accounts.models import User
from tests.conftest import PASSWORD, signed_in
from tests.fakes.exchange import Exchange, ExchangeServer
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer
from tests.kinds.asking import answered, ask

pytestmark = pytest.mark.django_db(transaction=True)

KEY, PASS = "sk-RIGHT-7d1f0c2b9a", "pass-RIGHT-51e88c"
WRONG_KEY, WRONG_PASS = "sk-WRONG-0b6a93ffee", "pass-WRONG-c0ffee"
PROVIDER_KEY = "sk-PROVIDER-99aa88bb"
USER = "hub-user"


def basic(password: str) -> str:
    return b64encode(f"{USER}:{password}".encode()).decode()


CREDENTIALS = {
    "key": KEY,
    "password": PASS,
    "wrong key": WRONG_KEY,
    "wrong password": WRONG_PASS,
    "provider's key": PROVIDER_KEY,
    "Basic header": basic(PASS),
    "wrong Basic header": basic(WRONG_PASS),
    "person's password": PASSWORD,
}


class Parrot(ExchangeServer):
    """Lets nobody in, and repeats in every way what it was sent; lists models where it must to be chosen."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status

    async def answer(self, exchange: Exchange) -> None:
        sent = exchange.request.headers.get("authorization", "nothing")
        secret = sent.partition(" ")[2]
        message = f"Incorrect API key provided: {secret}. You sent {sent!r}"
        if self.status == 200 and exchange.request.method == "POST":
            exchange.stream()
            exchange.event({"choices": [{"index": 0, "delta": {"content": "Once"}}]})
            exchange.event({"error": {"message": message, "type": "server_error", "code": secret}})
            exchange.end()
            return
        body = {
            "error": {"message": message, "type": "invalid", "code": secret, "param": secret},
            "detail": secret,
        }
        exchange.reply(
            self.status if self.status != 200 else 404, body, WWW_Authenticate=f'Basic realm="{secret}"'
        )


class Day:
    """Everything that was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def keep(self, what: str, response: HttpResponse | str) -> None:
        if isinstance(response, str):
            self.shown.append((what, response))
            return
        headers = "\n".join(f"{name}: {value}" for name, value in response.items())
        self.shown.append((what, f"{headers}\n{response.content.decode()}"))

    def get(self, browser: Client, path: str) -> None:
        self.keep(path, browser.get(path))

    def post(self, browser: Client, path: str, data: dict[str, Any], **headers: str) -> None:
        self.keep(path, browser.post(path, data, headers=headers, follow=True))


def fields(kind: str, url: str, name: str, **more: str) -> dict[str, str]:
    own = {"api_key": KEY} if KINDS[kind].auth != "basic" else {"username": USER, "password": PASS}
    return {"name": name, "kind": kind, "base_url": url, "access": "everyone", "enabled": "on", **own, **more}


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every word of the hub, and of Django on requests; of libraries at the level that is set."""
    with ExitStack() as stack:
        for name in ("privatechathub", "chat", "backends", "django.request", "django.security"):
            stack.enter_context(caplog.at_level(logging.DEBUG, name))
        yield caplog


def everything_stored() -> str:
    """All rows of all tables, and the database's file with its log where it is one."""
    stored: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            stored += [repr(row) for row in cursor.fetchall()]
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        files = [Path(name + end) for end in ("", "-wal", "-journal")]
        stored += [file.read_bytes().decode("latin-1") for file in files if file.exists()]
    return "\n".join(stored)


def manage(day: Day, urls: dict[str, str], tmp_path: Path) -> None:
    """A day of the administrator: forms, tests, errors."""
    ada = signed_in(User.objects.get(username="ada"))
    for kind, url in urls.items():
        name, slug = f"The {kind}", f"the-{kind}"
        good = fields(kind, url, name)
        bad = good | ({"api_key": WRONG_KEY} if "api_key" in good else {"password": WRONG_PASS})
        day.post(ada, "/backends/add/", good | {"base_url": "ftp://nowhere"})
        day.post(ada, "/backends/add/", good)
        day.post(ada, f"/backends/{slug}/test/", bad)
        day.post(ada, f"/backends/{slug}/test/", bad, **{"HX-Request": "true"})
        day.post(ada, f"/backends/{slug}/test/", good)
        day.post(ada, f"/backends/{slug}/", bad | {"slots": "-1"})
        day.post(ada, f"/backends/{slug}/", good | {"base_url": "http://127.0.0.1:9"})
        day.post(ada, f"/backends/{slug}/", good)
        for page in ("", "models/", "models/memory/", "delete/"):
            day.get(ada, f"/backends/{slug}/{page}")
        pk = Backend.objects.get(slug=slug).pk
        admin = {"kind": kind, "name": name, "base_url": url, "username": USER, "access": "everyone",
                 "connect_timeout": "5", "first_byte_timeout": "5", "stall_timeout": "5", "enabled": "on",
                 "new_api_key": KEY if "api_key" in good else "", "new_password": PASS}  # fmt: skip
        day.post(ada, f"/admin/backends/backend/{pk}/change/", admin | {"slots": "-1"})
        day.post(ada, f"/admin/backends/backend/{pk}/change/", admin)
        day.get(ada, f"/admin/backends/backend/{pk}/change/")
        day.get(ada, f"/admin/backends/backend/{pk}/history/")
        day.keep("add_backend", shell(kind, url, f"Shell {kind}", tmp_path))
    day.post(ada, "/backends/add/?api_key=x", {"api_key": WRONG_KEY, "password": WRONG_PASS})
    day.post(ada, "/accounts/login/", {"login": "ada", "password": PASSWORD + "x"})
    day.post(Client(), "/accounts/login/", {"login": "ada", "password": PASSWORD})


def shell(kind: str, url: str, name: str, folder: Path) -> str:
    """The command, with a wrong secret, then with a file that is not there."""
    out = io.StringIO()
    secret, option = (
        (WRONG_KEY, "--api-key-file") if KINDS[kind].auth != "basic" else (WRONG_PASS, "--password-file")
    )
    (folder / "secret").write_text(secret)
    command = ("add_backend", name, "--kind", kind, "--url")
    call_command(*command, url, option, str(folder / "secret"), stdout=out)
    with pytest.raises(CommandError) as refused:
        call_command(*command, "ftp://x", option, str(folder / "secret"), stdout=out)
    return f"{out.getvalue()}{refused.value}"


def look_around(day: Day) -> None:
    """Every page that there is by now, for the administrator and for whoever chatted."""
    ada, alice = (signed_in(User.objects.get(username=name)) for name in ("ada", "alice"))
    for path in ("/", "/backends/", "/models/", "/people/", "/settings/", "/discovery/", "/admin/",
                 "/admin/backends/backend/", "/admin/accounts/user/"):  # fmt: skip
        day.get(ada, path)
    for backend in Backend.objects.all():
        day.get(ada, f"/backends/{backend.slug}/")
        day.get(ada, f"/backends/{backend.slug}/models/")
    for generation in Generation.objects.select_related("message__conversation"):
        day.get(alice, generation.message.conversation.get_absolute_url())
        day.get(alice, f"/messages/{generation.message_id}/details/")
    for model in CatalogueModel.objects.all():
        day.get(ada, f"/models/{model.pk}/")


def found_in(text: str) -> list[str]:
    return [name for name, secret in CREDENTIALS.items() if secret in text]


def test_what_is_searched_for_would_be_found(db: None) -> None:
    planted = Backend.objects.create(name="Leak", kind="ollama", base_url="http://127.0.0.1:9")
    Backend.objects.filter(pk=planted.pk).update(state_message=f"no: {WRONG_KEY} {basic(PASS)}")

    assert found_in(everything_stored()) == ["wrong key", "Basic header"]


async def test_a_day_leaves_no_credential_anywhere(
    hub: runtime.Runtime, alice: User, ada: User, logs: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    day = Day()
    async with (
        FakeServer(api_key=KEY) as server,
        FakeLMStudio(api_key=KEY) as studio,
        FakeOpenCode(password=PASS, provider_key=PROVIDER_KEY) as code,
        Parrot(401) as rude,
        Parrot(200) as late,
        Parrot(400) as pedant,
        Parrot(500) as broken,
    ):
        urls = {"ollama": server.url, "openai": f"{server.url}/v1", "lmstudio": studio.url, "opencode": code.url,
                "openai-responses": f"{rude.url}/v1", "olla": broken.url, "ollm": pedant.url}  # fmt: skip
        assert set(urls) == {kind for kind, facts in KINDS.items() if facts.public}
        code.username = USER
        await in_database(manage, day, urls, tmp_path)
        await in_database(
            add_parrots, {"rude": rude.url, "late": late.url, "pedant": pedant.url, "broken": broken.url}
        )

        refs = ["the-ollama/fast", "the-openai/fast", "the-lmstudio/m", "the-opencode/local/m"]
        refs += [f"{kind}-{name}/m" for kind in ("ollama", "openai", "lmstudio", "openai-responses", "olla", "ollm")
                 for name in ("rude", "late", "pedant", "broken")]  # fmt: skip
        refs += [f"opencode-{name}/local/m" for name in ("rude", "pedant", "broken")]
        await in_database(list_models, refs)
        rows = []
        for ref in refs:
            sent = await ask(alice, None, f"Hello {ref}?", ref)
            row = await answered(sent)
            rows.append(row)
            if row.status == Status.FAILED:
                again = await in_database(retry, alice, sent.answer)
                await answered(replace(sent, generation=again))
        failed = [row for row in rows if row.status == Status.FAILED]
        assert len(failed) >= 20
        assert any(row.status == Status.COMPLETED for row in rows)
        await in_database(look_around, day)
        heard = [
            request.headers.get("authorization", "")
            for one in (rude, late, pedant, broken)
            for request in one.requests
        ]
        assert any(KEY in sent for sent in heard)

    stored = await in_database(everything_stored)
    assert found_in(stored) == []
    told = "\n".join(logging.Formatter().format(record) for record in logs.records)
    assert found_in(told) == []
    assert len(day.shown) > 150
    for path, page in day.shown:
        assert (path, found_in(page)) == (path, [])


def add_parrots(urls: dict[str, str]) -> None:
    """Servers of each kind that repeat what they are sent."""
    for kind, facts in KINDS.items():
        for name, url in urls.items() if facts.public else ():
            backend = Backend(name=f"{kind} {name}", kind=kind, base_url=url, username=USER)
            backend.set_api_key(KEY if facts.auth != "basic" else "")
            backend.set_password(PASS)
            backend.save()


def list_models(refs: list[str]) -> None:
    """Have each of these models in the catalogue, also those that no server listed."""
    for ref in refs:
        slug, _sep, model = ref.partition("/")
        CatalogueModel.objects.get_or_create(
            backend=Backend.objects.get(slug=slug), model_id=model, defaults={"name": model}
        )
