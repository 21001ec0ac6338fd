"""Which error a response is, and that no secret gets into it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Endpoint, Secret
from backends.adapters.classify import (
    error_from_payload,
    error_from_response,
    is_html,
    message_of,
    retry_after,
)
from backends.adapters.errors import (
    ERRORS,
    AuthFailed,
    BackendError,
    BadRequest,
    ContextOverflow,
    ErrorKind,
    Forbidden,
    ModelNotFound,
    NotFound,
    Overloaded,
    RateLimited,
    ServerError,
    TimedOut,
    Unsupported,
    WrongService,
)
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.adapters.redact import redact
from tests.backends.adapters.wire import answer, play

OPEN = Endpoint("http://h")
KEY = "sk-live-ABCDEF0123456789"
CLOSED = Endpoint("http://h", api_key=Secret(KEY))


def classified(status: int, body: Any, endpoint: Endpoint = OPEN, **headers: str) -> BackendError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from_response(status, headers, data, endpoint)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, BadRequest), (401, AuthFailed), (402, BadRequest), (403, Forbidden), (404, NotFound), (405, BadRequest),
        (408, TimedOut), (413, BadRequest), (415, BadRequest), (418, BadRequest), (422, BadRequest), (429, RateLimited),
        (499, TimedOut), (500, ServerError), (501, Unsupported), (502, ServerError), (503, Overloaded), (504, TimedOut),
        (529, ServerError), (302, WrongService), (304, WrongService),
    ],
)  # fmt: skip
def test_a_status_without_words(status: int, expected: type[BackendError]) -> None:
    error = classified(status, b"")
    assert type(error) is expected
    assert (error.status, error.message) == (status, f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "request (9 tokens) exceeds the available context size (8 tokens)", ContextOverflow),
        (500, "This model's maximum context length is 4096 tokens", ContextOverflow),
        (400, "x does not support chat", Unsupported),
        (400, "Messages may hold only text content parts", Unsupported),
        (404, "The model `gpt-9` does not exist", ModelNotFound),
        (404, "model 'x' not found", ModelNotFound),
        (404, "No lmstudio endpoints available", NotFound),
        (400, "Session 'x' does not exist", BadRequest),
        (500, "server busy, please try again.  maximum pending requests exceeded", Overloaded),
        (401, "model 'x' not found", AuthFailed),
        (403, "does not support tools", Forbidden),
        (429, "context length", RateLimited),
        (500, "model runner has unexpectedly stopped", ServerError),
        (400, "could not find the modelling tools", BadRequest),
    ],
)
def test_words_tell_more_than_a_status_but_for_three(
    status: int, message: str, expected: type[BackendError]
) -> None:
    assert type(classified(status, {"error": {"message": message}})) is expected


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"error": {"message": "a"}, "message": "b"}, "a"),
        ({"error": "a", "message": "b"}, "a"),
        ({"message": "a", "detail": "b"}, "a"),
        ({"name": "X", "data": {"message": "a"}}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"loc": ["body", "a", 0], "msg": "m"}, {"msg": "n"}, 5]}, "a.0: m; n"),
        ({"error": None, "message": ["x"]}, ""),
        (["x"], ""),
        (None, ""),
    ],
)
def test_where_servers_put_their_message(payload: object, message: str) -> None:
    assert message_of(payload) == message


def test_plain_text_is_a_message() -> None:
    assert classified(502, b" Proxy error: refused \n").message == "Proxy error: refused"


def test_broken_json_is_not_a_message() -> None:
    assert classified(500, b'{"error": {"mess').message == "HTTP 500"


def test_a_long_message_is_cut() -> None:
    assert classified(500, {"error": "x" * 5000}).message == "x" * 300


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, WrongService), (404, WrongService), (500, WrongService), (401, AuthFailed),
        (403, Forbidden), (502, ServerError), (503, Overloaded), (504, TimedOut),
    ],
)  # fmt: skip
def test_a_page_keeps_its_kind_only_where_proxies_speak(status: int, expected: type[BackendError]) -> None:
    error = classified(status, b"<html><b>nginx</b></html>", **{"content-type": "text/html; charset=utf-8"})
    assert type(error) is expected
    assert "<" not in error.message


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("TEXT/HTML", b"", True),
        ("", b"\xef\xbb\xbf \n<!doctype", True),
        ("text/plain", b"a < b", False),
        ("", b"", False),
    ],
)
def test_what_a_page_is(kind: str, body: bytes, expected: bool) -> None:
    assert is_html(kind, body) is expected


def test_a_redirect_names_only_the_host() -> None:
    error = classified(302, b"", location="https://user:pass@login.test/path?token=1")
    assert error.message == "HTTP 302 redirects to login.test"
    assert classified(302, b"", location="http://[").message == "HTTP 302"


def test_an_error_frame_has_no_status_but_may_carry_one_inside() -> None:
    for payload, expected in [
        ({"error": {"code": 401, "message": "Invalid API Key"}}, AuthFailed),
        ({"error": {"code": "400", "message": "x"}}, ServerError),
        ({"error": {"code": 503, "message": "x"}}, Overloaded),
        ({"error": "x"}, ServerError),
    ]:
        error = error_from_payload(payload, OPEN)
        assert type(error) is expected
        assert error.status is None


def test_facts_are_kept() -> None:
    error = classified(
        400,
        {
            "error": {
                "message": "context size",
                "type": "exceed_context_size_error",
                "n_ctx": 8,
                "n_prompt_tokens": 9,
            }
        },
    )
    assert error.code == "exceed_context_size_error"
    assert error.data == {"n_ctx": "8", "n_prompt_tokens": "9"}


@pytest.mark.parametrize("value", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00"])
def test_a_date_in_the_past_means_now(value: str) -> None:
    assert retry_after(value) == 0.0


@given(st.text(max_size=40))
@settings(deadline=None, database=None)
def test_retry_after_is_a_number_or_nothing(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or 0 <= seconds < float("inf")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "code", "type", "data", "loc", "msg", "param", "n_ctx"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(status=st.integers(300, 599), payload=json_values)
@settings(deadline=None, database=None, max_examples=200)
def test_every_json_is_some_error(status: int, payload: object) -> None:
    error = classified(status, payload)
    assert isinstance(error, BackendError)
    assert len(error.message) <= 300
    assert all(isinstance(value, str) for value in error.data.values())


# Secrets


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"key {KEY} is wrong", "key … is wrong"),
        (f"{KEY}{KEY}", "……"),
        ("Incorrect API key provided: sk-live-ABC*****6789.", "Incorrect API key provided: …*****6789."),
        ("ends in 456789", "ends in …"),
        ("sk-li is too short to tell", "sk-li is too short to tell"),
        ("nothing here", "nothing here"),
        ("", ""),
    ],
)
def test_keys_and_their_parts_are_left_out(text: str, clean: str) -> None:
    assert redact(text, CLOSED) == clean


def test_passwords_and_what_they_are_sent_as_are_left_out() -> None:
    endpoint = Endpoint("http://h", username="ada", password=Secret("hunter"))
    sent = b64encode(b"ada:hunter").decode()
    assert redact(f"hunter or {sent}", endpoint) == "… or …"


def test_a_short_secret_is_left_out_only_whole() -> None:
    endpoint = Endpoint("http://h", api_key=Secret("abcd"))
    assert redact("abcd abc bcd", endpoint) == "… abc bcd"


def test_a_word_that_only_stands_for_no_key_is_no_secret() -> None:
    assert redact("x marks the spot", Endpoint("http://h", api_key=Secret("x"))) == "x marks the spot"


def test_a_message_cut_inside_the_key_is_clean_too() -> None:
    message = "." * 290 + KEY
    assert classified(400, {"error": message}, CLOSED).message == "." * 290 + "…"


def test_no_field_of_an_error_has_the_key() -> None:
    body = {"error": {"message": KEY, "code": KEY, "param": KEY}, "signin_url": f"https://x/{KEY}"}
    error = classified(401, body, CLOSED, **{"www-authenticate": f"Bearer {KEY}"})
    assert KEY not in repr(vars(error)) + str(error) + repr(error)
    assert error.data["www_authenticate"] == "Bearer …"


def test_no_error_of_a_stream_has_the_key() -> None:
    played = play(OpenAIChatAdapter, answer({"error": f"bad key {KEY}"}), api_key=Secret(KEY))
    assert played.error.message == "bad key …"


@given(st.text(alphabet="abcdef", min_size=6, max_size=30), st.text(alphabet="abcdef ", max_size=60))
@settings(deadline=None, database=None, max_examples=200)
def test_no_run_of_six_survives(secret: str, text: str) -> None:
    clean = redact(text, Endpoint("http://h", api_key=Secret(secret)))
    runs = {secret[at : at + 6] for at in range(len(secret) - 5)}
    assert not any(run in clean for run in runs)


# The tree


def test_every_kind_has_one_error_with_a_hint() -> None:
    assert set(ERRORS) == set(ErrorKind)
    for kind, error in ERRORS.items():
        assert error("x").kind is kind
        assert error().hint
        assert str(error()) == kind.value


def test_a_secret_does_not_print() -> None:
    assert KEY not in f"{CLOSED!r} {CLOSED.api_key} {CLOSED.api_key!r} {[CLOSED]}"
    assert CLOSED.api_key.reveal() == KEY


@pytest.mark.parametrize(
    ("message", "window", "tokens"),
    [
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5018 tokens.",
            "4096",
            "5018",
        ),
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            "8192",
            "9001",
        ),
        ("Trying to keep the first 13055 tokens … n_keep: 13055>= n_ctx: 4096", "4096", "13055"),
        ("prompt is too long: 210000 tokens > 200000 maximum", "200000", "210000"),
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "1048576",
            "1200000",
        ),
        ("the input length exceeds the context length", None, None),
    ],
)
def test_a_refusal_names_the_window_in_words(message: str, window: str | None, tokens: str | None) -> None:
    error = error_from_payload({"error": {"message": message}}, OPEN, status=400)
    assert type(error) is ContextOverflow
    assert (error.data.get("n_ctx"), error.data.get("n_prompt_tokens")) == (window, tokens)
