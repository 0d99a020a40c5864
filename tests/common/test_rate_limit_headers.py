"""What providers say of their rate limits, as each of them says it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steelyard_common.rate_limit_headers import (
    MAX_COUNT,
    MAX_HEADERS,
    MAX_SECONDS,
    RateLimits,
    read_rate_limits,
)

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
EPOCH = int(NOW.timestamp())

GOLDEN = {
    "openai": (
        """
        x-ratelimit-limit-requests: 60
        x-ratelimit-limit-tokens: 150000
        x-ratelimit-remaining-requests: 59
        x-ratelimit-remaining-tokens: 149984
        x-ratelimit-reset-requests: 1s
        x-ratelimit-reset-tokens: 6m0s
        """,
        RateLimits(
            remaining_requests=59,
            request_limit=60,
            remaining_tokens=149_984,
            token_limit=150_000,
            reset_seconds=1.0,
        ),
    ),
    "openai, tokens nearer to their end": (
        """
        x-ratelimit-limit-requests: 5000
        x-ratelimit-limit-tokens: 160000
        x-ratelimit-limit-tokens_usage_based: 160000
        x-ratelimit-remaining-requests: 4999
        x-ratelimit-remaining-tokens: 80000
        x-ratelimit-remaining-tokens_usage_based: 40000
        x-ratelimit-reset-requests: 12ms
        x-ratelimit-reset-tokens: 1m30.5s
        x-ratelimit-reset-tokens_usage_based: 2m0.25s
        """,
        RateLimits(
            remaining_requests=4999,
            request_limit=5000,
            remaining_tokens=40_000,
            token_limit=160_000,
            reset_seconds=120.25,
        ),
    ),
    "groq, out of its requests of the day": (
        """
        retry-after: 2
        x-ratelimit-limit-requests: 14400
        x-ratelimit-limit-tokens: 18000
        x-ratelimit-remaining-requests: 0
        x-ratelimit-remaining-tokens: 17997
        x-ratelimit-reset-requests: 2m59.56s
        x-ratelimit-reset-tokens: 7.66s
        """,
        RateLimits(
            retry_after_seconds=2.0,
            remaining_requests=0,
            request_limit=14_400,
            remaining_tokens=17_997,
            token_limit=18_000,
            reset_seconds=179.56,
        ),
    ),
    "azure": (
        """
        Retry-After: 3
        Retry-After-Ms: 2500
        X-RateLimit-Limit-Tokens: -1
        X-RateLimit-Remaining-Tokens: -1
        X-RateLimit-Reset-Tokens: 0
        """,
        RateLimits(retry_after_seconds=2.5, reset_seconds=0.0),
    ),
    "cerebras": (
        """
        x-ratelimit-limit-requests-day: 10000
        x-ratelimit-remaining-requests-day: 9500
        x-ratelimit-reset-requests-day: 33011.382867
        x-ratelimit-limit-requests-minute: 120
        x-ratelimit-remaining-requests-minute: 6
        x-ratelimit-reset-requests-minute: 45.5
        x-ratelimit-limit-tokens-minute: 200000
        x-ratelimit-remaining-tokens-minute: 195000
        x-ratelimit-reset-tokens-minute: 30.2
        """,
        RateLimits(
            remaining_requests=6,
            request_limit=120,
            remaining_tokens=195_000,
            token_limit=200_000,
            reset_seconds=45.5,
        ),
    ),
    "mistral": (
        """
        x-ratelimit-limit-tokens-minute: 5000000
        x-ratelimit-remaining-tokens-minute: 4999911
        x-ratelimit-tokens-query-cost: 52
        x-ratelimit-limit-req-minute: 720
        x-ratelimit-remaining-req-minute: 717
        """,
        RateLimits(
            remaining_requests=717,
            request_limit=720,
            remaining_tokens=4_999_911,
            token_limit=5_000_000,
        ),
    ),
    "mistral before 2025": (
        """
        ratelimitbysize-limit: 500000
        ratelimitbysize-remaining: 499900
        ratelimitbysize-reset: 28
        ratelimitbysize-query-cost: 100
        x-ratelimitbysize-limit-month: 1000000000
        x-ratelimitbysize-remaining-month: 999999900
        """,
        RateLimits(remaining_tokens=499_900, token_limit=500_000, reset_seconds=28.0),
    ),
    "fireworks": (
        """
        x-ratelimit-limit-tokens-prompt: 7200000
        x-ratelimit-remaining-tokens-prompt: 7193993
        x-ratelimit-limit-tokens-generated: 72000
        x-ratelimit-remaining-tokens-generated: 69338
        x-ratelimit-over-limit: no
        """,
        RateLimits(remaining_tokens=69_338, token_limit=72_000),
    ),
    "together": (
        """
        x-ratelimit-limit: 10
        x-ratelimit-remaining: 9
        x-ratelimit-reset: 1
        x-tokenlimit-limit: 30000
        x-tokenlimit-remaining: 15000
        """,
        RateLimits(
            remaining_requests=9,
            request_limit=10,
            remaining_tokens=15_000,
            token_limit=30_000,
        ),
    ),
    "openrouter": (
        f"""
        X-RateLimit-Limit: 50
        X-RateLimit-Remaining: 0
        X-RateLimit-Reset: {(EPOCH + 3600) * 1000}
        """,
        RateLimits(remaining_requests=0, request_limit=50, reset_seconds=3600.0),
    ),
    "epoch seconds": (
        f"""
        x-ratelimit-limit: 60
        x-ratelimit-remaining: 56
        x-ratelimit-reset: {EPOCH + 44}
        """,
        RateLimits(remaining_requests=56, request_limit=60, reset_seconds=44.0),
    ),
    "anthropic": (
        """
        anthropic-ratelimit-input-tokens-limit: 80000
        anthropic-ratelimit-input-tokens-remaining: 79000
        anthropic-ratelimit-input-tokens-reset: 2026-11-02T09:30:02Z
        anthropic-ratelimit-output-tokens-limit: 16000
        anthropic-ratelimit-output-tokens-remaining: 4000
        anthropic-ratelimit-output-tokens-reset: 2026-11-02T09:30:45Z
        anthropic-ratelimit-requests-limit: 1000
        anthropic-ratelimit-requests-remaining: 999
        anthropic-ratelimit-requests-reset: 2026-11-02T09:29:59Z
        anthropic-ratelimit-tokens-limit: 96000
        anthropic-ratelimit-tokens-remaining: 83000
        anthropic-ratelimit-tokens-reset: 2026-11-02T09:30:02Z
        """,
        RateLimits(
            remaining_requests=999,
            request_limit=1000,
            remaining_tokens=4000,
            token_limit=16_000,
            reset_seconds=45.0,
        ),
    ),
    "anthropic, too fast": (
        """
        retry-after: 17
        anthropic-ratelimit-requests-limit: 50
        anthropic-ratelimit-requests-remaining: 0
        anthropic-ratelimit-requests-reset: 2026-11-02T10:31:00+01:00
        """,
        RateLimits(
            retry_after_seconds=17.0, remaining_requests=0, request_limit=50, reset_seconds=60.0
        ),
    ),
    "nothing of the kind": (
        """
        content-type: application/json
        x-ratelimit-limit-images: 5
        x-ratelimit-remaining-audio-seconds: 7
        """,
        RateLimits(),
    ),
}


def headers_of(lines: str) -> dict[str, str]:
    pairs = (line.strip().partition(": ") for line in lines.splitlines() if line.strip())
    return {name: value for name, _, value in pairs}


def read(**headers: str) -> RateLimits:
    return read_rate_limits({name.replace("_", "-"): each for name, each in headers.items()}, NOW)


@pytest.mark.parametrize("vendor", GOLDEN)
def test_each_vendor_is_understood(vendor: str) -> None:
    lines, expected = GOLDEN[vendor]

    assert read_rate_limits(headers_of(lines), NOW) == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("20", 20.0),
        ("0.5", 0.5),
        (" 20 ", 20.0),
        ("Mon, 02 Nov 2026 09:32:00 GMT", 120.0),
        ("Mon, 02 Nov 2026 09:00:00 GMT", 0.0),
        ("Monday, 02-Nov-26 09:31:00 GMT", 60.0),
        ("Mon Nov  2 09:31:00 2026", 60.0),
        ("2026-11-02T09:30:05.5Z", 5.5),
        ("30s", 30.0),
        (str(EPOCH + 7), 7.0),
        (str(int(MAX_SECONDS)), MAX_SECONDS),
    ],
)
def test_retry_after_is_seconds_or_a_moment(value: str, seconds: float) -> None:
    assert read(retry_after=value).retry_after_seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "+5",
        "nan",
        "inf",
        "1e3",
        "0x10",
        "soon",
        "1,000",
        "5 5",
        "\uff11\uff10",
        "9" * 17,
        "9" * 64,
        str(int(MAX_SECONDS) + 1),
        "999999h",
        "1h" * 20,
        "Mon, 02 Nov 9999 09:32:00 GMT",
        "Mon, 99 Nov 2026 09:32:00 GMT",
        "5" + " " * 100,
    ],
)
def test_a_wait_that_makes_no_sense_is_left_out(value: str) -> None:
    limits = read(retry_after=value, x_ratelimit_remaining="3")

    assert limits == RateLimits(remaining_requests=3)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1ms", 0.001),
        ("120ms", 0.12),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("6m0s", 360.0),
        ("1h26m24s", 5184.0),
        ("1d2h", 93_600.0),
        ("2m59.56s", 179.56),
    ],
)
def test_durations_have_units(value: str, seconds: float) -> None:
    limits = read(x_ratelimit_remaining="3", x_ratelimit_reset=value)

    assert limits.reset_seconds == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["-1", "nan", "3.5", "many", "", str(MAX_COUNT + 1), "٣"])
def test_a_count_that_makes_no_sense_is_left_out_by_itself(value: str) -> None:
    limits = read(
        x_ratelimit_limit_requests=value,
        x_ratelimit_remaining_requests="3",
        x_ratelimit_limit_tokens="10",
        x_ratelimit_remaining_tokens=value,
    )

    assert limits == RateLimits(remaining_requests=3, token_limit=10)


def test_milliseconds_are_more_exact_than_seconds_unless_they_make_no_sense() -> None:
    assert read(retry_after="1", retry_after_ms="1250").retry_after_seconds == 1.25
    assert read(retry_after="1", retry_after_ms="-5").retry_after_seconds == 1.0
    assert read(retry_after="1", retry_after_ms="9" * 15).retry_after_seconds == 1.0


def test_a_moment_is_counted_from_the_callers_time_in_any_zone() -> None:
    headers = {"retry-after": "Mon, 02 Nov 2026 09:31:00 GMT"}
    local = NOW.astimezone(timezone(timedelta(hours=-5)))

    assert read_rate_limits(headers, local).retry_after_seconds == 60.0


def test_the_headroom_is_the_smallest_share_of_a_limit() -> None:
    half = read(
        x_ratelimit_limit_requests="10",
        x_ratelimit_remaining_requests="9",
        x_ratelimit_limit_tokens="100",
        x_ratelimit_remaining_tokens="50",
    )

    assert half.headroom == 0.5
    assert read(x_ratelimit_limit="10", x_ratelimit_remaining="20").headroom == 1.0
    assert read(x_ratelimit_remaining="20").headroom is None
    assert read(x_ratelimit_limit="0", x_ratelimit_remaining="0").headroom is None


def test_without_retry_after_the_wait_is_until_the_used_up_limit_starts_over() -> None:
    used_up = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "40"}

    assert read(**used_up).wait_seconds == 40.0
    assert read(**used_up, retry_after="90").wait_seconds == 90.0
    assert read(x_ratelimit_remaining="1", x_ratelimit_reset="40").wait_seconds is None


def test_only_so_many_headers_are_looked_at() -> None:
    many = {f"x-filler-{number}": "1" for number in range(MAX_HEADERS)}

    assert read_rate_limits({**many, "retry-after": "5"}, NOW) == RateLimits()
    assert read_rate_limits({"retry-after": "5", **many}, NOW).retry_after_seconds == 5.0


NAMES = sorted({name for lines, _ in GOLDEN.values() for name in headers_of(lines)})
VALUES = st.one_of(
    st.text(max_size=70),
    st.from_regex(r"-?[0-9]{0,20}[.eE+-]?[0-9]{0,5}(ms|s|m|h|d)?", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}-[0-9]{2}-[0-9]{2}T[0-9:]{0,8}([+-][0-9]{2}:[0-9]{2}|Z)?"),
    st.from_regex(r"(Mon, )?[0-9]{1,3} (Nov|Feb) [0-9]{1,5} [0-9:]{1,9} (GMT|[+-][0-9]{1,6})"),
    st.sampled_from(
        [value for lines, _ in GOLDEN.values() for value in headers_of(lines).values()]
    ),
)


@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=40)), VALUES))
@example({"retry-after": "0001-01-01T00:00:00+23:59"})
@example({"retry-after": "9999-12-31T23:59:59-23:59"})
@example({"retry-after": "Mon, 31 Dec 9999 23:59:59 -9959"})
def test_no_header_can_break_it_or_give_a_senseless_figure(headers: dict[str, str]) -> None:
    limits = read_rate_limits(headers, NOW)

    for seconds in (limits.retry_after_seconds, limits.reset_seconds, limits.wait_seconds):
        assert seconds is None or 0 <= seconds <= MAX_SECONDS
    for count in (limits.remaining_requests, limits.remaining_tokens):
        assert count is None or 0 <= count <= MAX_COUNT
    assert limits.headroom is None or 0 <= limits.headroom <= 1
