"""Administrators set servers up; nobody else may, and nobody reads a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from chat.models import McpKind, McpServer, McpState
from tests.chat.mcp.conftest import Make
from tests.chat.page import faults

FORM = {"name": "Small", "kind": "http", "url": "", "enabled": "on", "timeout": "10", "access": "everyone"}
HERE = {"url": "http://127.0.0.1:9/mcp"}


def test_a_server_is_added_tested_and_removed(as_ada: Client, small_url: str, transactional_db: None) -> None:
    empty = as_ada.get("/mcp/")
    assert faults(empty) == []
    assert faults(as_ada.get("/mcp/add/")) == []
    assert as_ada.post("/mcp/add/", FORM | {"url": small_url}).status_code == 302
    server = McpServer.objects.get()
    assert (server.slug, server.state, len(server.tools)) == ("small", McpState.ONLINE, 6)
    listed = as_ada.get("/mcp/")
    assert "Answers with 6 tools in " in listed.content.decode()
    page = as_ada.get("/mcp/small/")
    assert "small__calculate" in page.content.decode()
    assert [faults(listed), faults(page)] == [[], []]
    tested = as_ada.post("/mcp/small/test/", FORM | {"url": small_url}, headers={"HX-Request": "true"})
    assert "Answers with 6 tools in " in tested.content.decode()
    assert faults(as_ada.get("/mcp/small/delete/")) == []
    assert as_ada.post("/mcp/small/delete/").status_code == 302
    assert not McpServer.objects.exists()
    assert as_ada.get("/mcp/small/").status_code == 404


def test_a_test_of_another_address_changes_nothing(as_ada: Client, make: Make, small_url: str) -> None:
    make(small_url)
    tested = as_ada.post("/mcp/small/test/", FORM | HERE)
    assert "It cannot be reached" in tested.content.decode()
    server = McpServer.objects.get()
    assert (server.url, server.state) == (small_url, McpState.ONLINE)


def test_a_server_that_went_away_says_so(as_ada: Client, make: Make) -> None:
    make(HERE["url"])
    for path in ("/mcp/", "/mcp/small/"):
        page = as_ada.get(path)
        assert "It cannot be reached" in page.content.decode()
        assert faults(page) == []


@pytest.mark.parametrize("path", ["/mcp/", "/mcp/add/", "/mcp/small/", "/mcp/small/delete/"])
def test_others_are_kept_out(path: str, as_alice: Client, client: Client, make: Make) -> None:
    make(HERE["url"], look=False)
    assert as_alice.get(path).status_code == 403
    assert as_alice.post(path, FORM | HERE).status_code in (403, 405)
    assert client.get(path).status_code == 302
    assert client.post(path, FORM | HERE).status_code in (302, 405)
    assert McpServer.objects.count() == 1


def test_others_make_it_contact_nobody(as_alice: Client, client: Client, make: Make) -> None:
    make(HERE["url"], look=False)
    assert as_alice.post("/mcp/small/test/", FORM | HERE).status_code == 403
    assert client.post("/mcp/small/test/", FORM | HERE).status_code == 302
    assert McpServer.objects.get().checked_at is None


def test_secrets_are_encrypted_and_never_shown(as_ada: Client, transactional_db: None) -> None:
    secrets = {"token": "t0ken-s3cret", "headers": "X-Key: k3y-s3cret\nX-Other: 2"}
    assert as_ada.post("/mcp/add/", FORM | HERE | secrets).status_code == 302
    server = McpServer.objects.get()
    assert server.token().reveal() == "t0ken-s3cret"
    assert server.headers() == {"X-Key": "k3y-s3cret", "X-Other": "2"}
    assert "s3cret" not in server.token_encrypted + server.headers_encrypted
    pages = [as_ada.get("/mcp/"), as_ada.get("/mcp/small/"), as_ada.post("/mcp/small/test/", FORM | HERE)]
    pages.append(as_ada.post("/mcp/small/", FORM | HERE | secrets | {"name": ""}))
    for page in pages:
        assert "s3cret" not in page.content.decode()
    as_ada.post("/mcp/small/", FORM | HERE)
    assert McpServer.objects.get().token().reveal() == "t0ken-s3cret"
    as_ada.post("/mcp/small/", FORM | HERE | {"forget_secrets": "on"})
    assert not McpServer.objects.get().has_secrets


def test_secrets_do_not_move_to_another_server(as_ada: Client, transactional_db: None) -> None:
    as_ada.post("/mcp/add/", FORM | HERE | {"token": "t0ken", "headers": "X-Key: k3y"})
    moved = FORM | {"url": "http://127.0.0.2:9/mcp"}
    for path in ("/mcp/small/", "/mcp/small/test/"):
        response = as_ada.post(path, moved)
        assert "Type this again for the new server" in response.content.decode()
    assert McpServer.objects.get().url == HERE["url"]
    assert as_ada.post("/mcp/small/", moved | {"token": "new", "headers": "X-Key: 2"}).status_code == 302
    assert McpServer.objects.get().token().reveal() == "new"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"url": ""}, "Enter its address"),
        ({"url": "ftp://x"}, "Enter an address like"),
        ({"url": "http://u:p@x/mcp"}, "Enter an address like"),
        ({"headers": "no colon"}, "Write headers like"),
        ({"headers": "Host: other"}, "Write headers like"),
        ({"headers": "X-Key: ä"}, "Write headers like"),
        ({"token": "two words"}, "A token has no spaces"),
        ({"timeout": "0"}, "greater than or equal to 1"),
        ({"timeout": "nan"}, "Enter a number"),
        ({"kind": "stdio"}, "This hub starts no programs"),
        ({"kind": "stdio", "command": "/bin/sh"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_is_refused(as_ada: Client, db: None, change: dict[str, str], sentence: str) -> None:
    response = as_ada.post("/mcp/add/", FORM | HERE | change)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not McpServer.objects.exists()


def test_a_listed_program_is_set_up(as_ada: Client, commands: Path, transactional_db: None) -> None:
    form = FORM | {"kind": "stdio", "command": "small", "lines": "--one\n--two words"}
    assert as_ada.post("/mcp/add/", form).status_code == 302
    server = McpServer.objects.get()
    assert (server.kind, server.command, server.arguments) == (
        McpKind.STDIO,
        "small",
        ["--one", "--two words"],
    )
    assert (server.state, len(server.tools)) == (McpState.ONLINE, 6)


def test_a_program_that_left_the_list_is_refused(as_ada: Client, make: Make, settings: Settings) -> None:
    make(kind=McpKind.STDIO, command="gone", look=False)
    settings.MCP_COMMANDS = {"other": ("/bin/false",)}
    response = as_ada.post("/mcp/small/", FORM | {"kind": "stdio", "command": "gone"})
    assert response.status_code == 422
    assert "not among those" in response.content.decode()
