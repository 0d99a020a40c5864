"""What providers say of their rate limits in response headers, in one form.

| Vendor document | Headers | Reset |
|---|---|---|
| OpenAI, Rate limits | `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` | `1s`, `6m0s` |
| Groq, Rate Limits | same; requests are those of a day | `2m59.56s` |
| Azure OpenAI, Quotas and limits | same, -1 for unknown; `retry-after-ms` | seconds |
| Cerebras, Rate Limits | same with `-day`, `-hour`, `-minute` appended | seconds |
| Mistral, Rate limits | `x-ratelimit-{limit,remaining}-{req,tokens}-minute` | none |
| Mistral, before 2025 | `ratelimitbysize-{limit,remaining,reset}`, of tokens | seconds |
| Fireworks, Rate limits | `x-ratelimit-{limit,remaining}-tokens-{prompt,generated}` | none |
| Together, Rate limits | `x-ratelimit-{limit,remaining,reset}`, `x-tokenlimit-*` | seconds |
| OpenRouter, API rate limits | `x-ratelimit-{limit,remaining,reset}` | epoch milliseconds |
| Anthropic, Rate limits | `anthropic-ratelimit-{what}-{limit,remaining,reset}` | RFC 3339 |

`retry-after` is that of RFC 9110: seconds, or a date. What makes no sense is left out field by
field: headers come from outside, and a call that succeeded must not fail because of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final

MAX_COUNT: Final = 10**15
"""No limit is larger; a figure beyond says that there is none."""
MAX_SECONDS: Final = 32 * 86_400.0
"""No limit is longer than a month."""
MAX_HEADERS: Final = 256
"""So many headers are looked at."""
MAX_VALUE_CHARACTERS: Final = 64

_EPOCH_SECONDS: Final = 1e9
"""From here on a number is not a duration but the time of day, in seconds since 1970."""
_EPOCH_MILLISECONDS: Final = 1e11
"""From here on it is in milliseconds."""

_REQUEST_WORDS: Final = frozenset({"requests", "request", "req"})
_TOKEN_WORDS: Final = frozenset({"tokens", "token"})

_FIELD_LAST = re.compile(
    r"anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)"
)
_FIELD_FIRST = re.compile(
    r"(?:x-)?(ratelimit|ratelimitbysize|tokenlimit)-(limit|remaining|reset)(?:-([a-z_-]+))?"
)
_WORDS = re.compile(r"[a-z]+")
_INTEGER = re.compile(r"\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,12})?", re.ASCII)
_UNITS: Final = {
    "d": 86_400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
}
_DURATION_PART = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)(ms|us|µs|ns|d|h|m|s)", re.ASCII)
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern}){{1,6}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What a provider said; None is what it did not say.

    Where it has several limits of a kind (per minute and day, of input and output), the one of
    which the smallest share is left is told.
    """

    retry_after_seconds: float | None = None
    """How long it asks to wait."""
    remaining_requests: int | None = None
    request_limit: int | None = None
    remaining_tokens: int | None = None
    token_limit: int | None = None
    reset_seconds: float | None = None
    """When the limit of which the smallest share is left starts over."""

    @property
    def headroom(self) -> float | None:
        """Smallest share of a limit that is left, 0 to 1; None when it names none whole."""
        shares = (
            _share(self.remaining_requests, self.request_limit),
            _share(self.remaining_tokens, self.token_limit),
        )
        return min((share for share in shares if share is not None), default=None)

    @property
    def wait_seconds(self) -> float | None:
        """How long to stay away: as asked, else until the limit starts over that is used up."""
        if self.retry_after_seconds is not None:
            return self.retry_after_seconds
        return self.reset_seconds if 0 in (self.remaining_requests, self.remaining_tokens) else None


@dataclass(slots=True)
class _Limit:
    """One limit of a provider, as far as it is told."""

    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None

    @property
    def share_left(self) -> float:
        """Share that is left; what cannot be known counts as all."""
        if self.remaining == 0:
            return 0.0
        share = _share(self.remaining, self.limit)
        return 1.0 if share is None else share

    @property
    def is_unknown(self) -> bool:
        return self.remaining is None


def read_rate_limits(headers: Mapping[str, str], now: datetime) -> RateLimits:
    """Return what response headers say of rate limits. Never raises.

    Args:
        headers: Of a response; names in any case.
        now: When it came, with a zone; resets that are times of day are counted from here.
    """
    plain = {
        name.lower(): value.strip()
        for name, value in islice(headers.items(), MAX_HEADERS)
        if len(value) <= MAX_VALUE_CHARACTERS
    }
    requests, tokens = _limits(plain, now)
    tightest_requests, tightest_tokens = _tightest(requests), _tightest(tokens)
    return RateLimits(
        retry_after_seconds=_retry_after(plain, now),
        remaining_requests=tightest_requests.remaining,
        request_limit=tightest_requests.limit,
        remaining_tokens=tightest_tokens.remaining,
        token_limit=tightest_tokens.limit,
        reset_seconds=_tightest([tightest_requests, tightest_tokens]).reset_seconds,
    )


def _limits(headers: Mapping[str, str], now: datetime) -> tuple[list[_Limit], list[_Limit]]:
    """Return the limits of requests and those of tokens."""
    requests: dict[str, _Limit] = {}
    tokens: dict[str, _Limit] = {}
    for name, value in headers.items():
        named = _named(name) if "limit" in name else None  # few are: quicker than the patterns
        if named is None:
            continue
        subject, field, counts_tokens = named
        limit = (tokens if counts_tokens else requests).setdefault(subject, _Limit())
        if field == "reset":
            limit.reset_seconds = _seconds_until(value, now)
        elif field == "remaining":
            limit.remaining = _count(value)
        else:
            limit.limit = _count(value)
    return list(requests.values()), list(tokens.values())


def _named(name: str) -> tuple[str, str, bool] | None:
    """Return which limit a header is of, which field of it, and whether that counts tokens."""
    match = _FIELD_LAST.fullmatch(name)
    if match is not None:
        return match[1], match[2], match[1] != "requests"
    match = _FIELD_FIRST.fullmatch(name)
    if match is None:
        return None
    family, field, what = match[1], match[2], match[3] or ""
    words = set(_WORDS.findall(what))
    if family != "ratelimit" or words & _TOKEN_WORDS:
        return f"{family} {what}", field, True
    # There are limits of images and seconds too.
    return (f"{family} {what}", field, False) if not what or words & _REQUEST_WORDS else None


def _tightest(limits: list[_Limit]) -> _Limit:
    """Return the limit of which the smallest share is left; of equals, one that says most."""
    return min(
        limits,
        key=lambda limit: (limit.share_left, limit.is_unknown, limit.reset_seconds is None),
        default=_Limit(),
    )


def _share(remaining: int | None, limit: int | None) -> float | None:
    # Of a limit of nothing, nothing is no share.
    return min(1.0, remaining / limit) if remaining is not None and limit else None


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    milliseconds = headers.get("retry-after-ms", "")
    if _NUMBER.fullmatch(milliseconds):
        exact = _bounded(float(milliseconds) / 1000)
        if exact is not None:
            return exact
    return _seconds_until(headers.get("retry-after", ""), now)


def _count(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    count = int(text)
    return count if count <= MAX_COUNT else None


def _seconds_until(text: str, now: datetime) -> float | None:
    """Return the seconds to a moment that is given as a number, a duration or a time of day."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number >= _EPOCH_MILLISECONDS:
            return _after(number / 1000 - now.timestamp())
        if number >= _EPOCH_SECONDS:
            return _after(number - now.timestamp())
        return _bounded(number)
    if _DURATION.fullmatch(text):
        parts = _DURATION_PART.findall(text)
        return _bounded(
            sum(float(number) * _UNITS[unit.replace("µ", "u")] for number, unit in parts)
        )
    moment = _moment(text)
    return None if moment is None else _after((moment - now).total_seconds())


def _moment(text: str) -> datetime | None:
    """Return the time of day that a text is, in either form that HTTP APIs use."""
    if not text.isascii():
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            # A date without a zone is one of HTTP, which has GMT alone; others are not to be had.
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _after(seconds: float) -> float | None:
    """Return how long to wait until something that may have been already."""
    return _bounded(max(0.0, seconds))


def _bounded(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MAX_SECONDS else None
