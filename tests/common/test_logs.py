"""Log lines: one a record, without secrets, with the request id."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from steelyard_common import logs
from steelyard_common.redaction import redacted, redacted_text
from steelyard_common.request_id import set_current_request_id

SECRETS = [
    "sk-proj-abcdefghijklmnop",
    "sk-ant-api03-AAAAAAAAAAAA",
    "gsk_abcdefghijklmnop",
    "sy_live_0123456789ab_cdefghijklmnop",
    "AIzaSyA-1234567890abcdefghijklmn",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln",
]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    yield io.StringIO()
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def lines(stream: io.StringIO) -> Callable[[], list[dict[str, Any]]]:
    logs.configure("pricing", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_and_what(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info("refreshed", source="litellm", models=4240)

    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "service": "pricing",
        "event": "refreshed",
        "source": "litellm",
        "models": 4240,
    }


def test_lines_below_the_level_are_dropped(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().debug("noise")

    assert lines() == []


def test_single_retries_are_not_told(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().warning("stamina.retry_scheduled", retry_num=1)

    assert lines() == []


async def test_the_request_id_is_in_every_line(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    async def handle() -> None:
        set_current_request_id("req-9")
        structlog.get_logger().info("ours")
        logging.getLogger("theirs").warning("theirs")

    await asyncio.create_task(handle())

    assert [line["request_id"] for line in lines()] == ["req-9", "req-9"]


@pytest.mark.parametrize(
    "name",
    ["api_key", "OPENAI_API_KEY", "x-api-key", "Authorization", "password", "client_secret",
     "master_key", "access_token", "prompt", "messages", "database_url"],
)  # fmt: skip
def test_what_is_named_like_a_secret_or_a_prompt_is_dropped(
    lines: Callable[[], list[dict[str, Any]]], name: str
) -> None:
    structlog.get_logger().info("call", **{name: "hunter2"}, nested={name: ["hunter2"]})

    [line] = lines()
    assert line[name] == "[redacted]"
    assert "hunter2" not in json.dumps(line)


def test_counts_of_tokens_are_no_secrets(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info("call", input_token_count=12)

    assert lines()[0]["input_token_count"] == 12


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_key_is_dropped_wherever_it_is(
    lines: Callable[[], list[dict[str, Any]]], secret: str
) -> None:
    log = structlog.get_logger()
    message = f"failed with {secret}!"
    log.info(message, note=f"see {secret}", deep={"a": [secret], secret: 1})
    logging.getLogger("httpx").error("GET %s", secret)
    log.error("oops", exc_info=RuntimeError(f"provider said: {secret}"))

    assert len(lines()) == 3
    assert secret not in json.dumps(lines())
    assert "[redacted]" in json.dumps(lines())


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
        ("GET /v1?key=abc123&alt=sse", "GET /v1?key=[redacted]&alt=sse"),
        ("x-api-key: abc123", "x-api-key: [redacted]"),
        ("postgresql://me:hunter2@db/x", "postgresql://[redacted]@db/x"),
        ("gpt-4o costs 2.5 per task-force", "gpt-4o costs 2.5 per task-force"),
    ],
)
def test_secrets_inside_texts_are_cut_out(text: str, clean: str) -> None:
    assert redacted_text(text) == clean


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("newline", ["\n", "\r", "\x0b", "\x1b[2K", "\u2028", "\x85"])
def test_no_text_can_forge_a_line(
    stream: io.StringIO, log_format: logs.LogFormat, newline: str
) -> None:
    logs.configure("pricing", log_format=log_format, stream=stream)

    structlog.get_logger().info(f"hello{newline}FORGED", note=f"a{newline}FORGED")

    assert stream.getvalue().count("\n") == 1
    assert len([line for line in stream.getvalue().split("\n") if line]) == 1
    if log_format == "console":
        assert stream.getvalue()[:-1].isprintable()


def test_a_traceback_in_the_console_is_indented(stream: io.StringIO) -> None:
    logs.configure("pricing", log_format="console", stream=stream)
    error = RuntimeError("first\n2026-01-01 INFO forged")
    structlog.get_logger().error("oops", exc_info=error)

    head, *frames = stream.getvalue().splitlines()
    assert " ERROR oops service=pricing" in head
    assert frames
    assert all(frame.startswith("    | ") for frame in frames)


def test_bytes_and_odd_values_never_break_a_line(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    endless: list[Any] = []
    endless.append(endless)

    structlog.get_logger().info("odd", body_bytes=b"secret", value=object(), endless=endless)
    structlog.get_logger().info("large", value=10**30, text="x" * 10_000)

    odd, large = lines()
    assert odd["body_bytes"] == "<6 bytes>"
    assert large["value"] == str(10**30)
    assert len(large["text"]) < 5000


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.binary() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_value_makes_one_line(value: Any) -> None:
    line = logs.render_json(None, "info", {"event": redacted("value", value)})

    assert "\n" not in line
    json.loads(line)
