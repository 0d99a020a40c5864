"""Probes in the wire formats of providers: what is sent, and what an answer says.

Anthropic's is its Messages API, Gemini's its `generateContent`; everybody else speaks OpenAI's Chat
Completions.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec
from pydantic import SecretStr

from steelyard_common.clock import Clock
from steelyard_common.provider_probe_http import (
    CallFault,
    CallFaultError,
    ProviderAnswer,
    ProviderCall,
    ProviderHttp,
)
from steelyard_common.rate_limit_headers import RateLimits, read_rate_limits
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.provider import Provider

MAX_OUTPUT_TOKENS: Final = 1
PROMPT: Final = "Hi"

_ANTHROPIC_VERSION: Final = "2023-06-01"
# OpenAI's newer models refuse `max_tokens`, other sellers may not know the other name.
_OPENAI: Final = "openai"

_KEY_HEADERS: Final[Mapping[str, tuple[str, str]]] = {
    "bearer": ("authorization", "Bearer "),
    "x-api-key": ("x-api-key", ""),
    "x-goog-api-key": ("x-goog-api-key", ""),
}
_NO_KEY: Final = "none"

_FAULTS: Final[Mapping[CallFault, Result]] = {
    CallFault.REQUEST: Result.CLIENT_ERROR,
    CallFault.CONNECTION: Result.CONNECTION_ERROR,
    CallFault.TIMEOUT: Result.TIMEOUT,
    CallFault.TRUNCATED: Result.TRUNCATED,
}
_STATUSES: Final[Mapping[int, Result]] = {
    HTTPStatus.UNAUTHORIZED: Result.AUTH_ERROR,
    HTTPStatus.FORBIDDEN: Result.AUTH_ERROR,
    HTTPStatus.TOO_MANY_REQUESTS: Result.RATE_LIMITED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEnd:
    """How a probe ended."""

    result: Result
    limits: RateLimits = field(default_factory=RateLimits)
    """What the provider said of rate limits with it."""

    @property
    def wait_seconds(self) -> float | None:
        """How long to stay away, as far as the provider says."""
        if self.result is Result.RATE_LIMITED:
            return self.limits.wait_seconds
        return self.limits.retry_after_seconds


class _Wire(NamedTuple):
    headers: Mapping[str, str]
    path: Callable[[Provider, str], str]
    body: Callable[[Provider, str], dict[str, Any]]
    is_completion: Callable[[Any], bool]


class ProbeCalls:
    """Makes the calls."""

    def __init__(self, http: ProviderHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    async def models(self, provider: Provider, key: SecretStr | None) -> ProbeEnd:
        """Ask for the list of models, which costs nothing; any answer to it will do."""
        wire = _WIRES[provider.wire_format]
        call = _call(provider, key, path="/models", headers=wire.headers)
        return await self._end(call, lambda _: True)

    async def completion(self, provider: Provider, model: str, key: SecretStr | None) -> ProbeEnd:
        """Ask for a completion of one token.

        Args:
            provider: Who sells it.
            model: The provider's own id of it.
            key: The platform's.
        """
        wire = _WIRES[provider.wire_format]
        call = _call(
            provider,
            key,
            path=wire.path(provider, model),
            headers={**wire.headers, "content-type": "application/json"},
            body=json.dumps(wire.body(provider, model)).encode(),
        )
        return await self._end(call, lambda answer: _holds(answer, wire.is_completion))

    async def _end(
        self, call: ProviderCall, is_right: Callable[[ProviderAnswer], bool]
    ) -> ProbeEnd:
        try:
            answer = await self._http.send(call)
        except CallFaultError as error:
            return ProbeEnd(result=_FAULTS[error.fault])
        limits = read_rate_limits(answer.headers, self._clock.now())
        result = _result_of(answer.status)
        if result is Result.SUCCESS and not is_right(answer):
            result = Result.TRUNCATED
        return ProbeEnd(result=result, limits=limits)


def can_probe(provider: Provider, key: SecretStr | None) -> bool:
    """Say whether it is known how to call a provider, with a key if it needs one."""
    if not provider.base_url or provider.wire_format not in _WIRES:
        return False
    return provider.auth_style == _NO_KEY or (
        provider.auth_style in _KEY_HEADERS and key is not None
    )


def _call(
    provider: Provider,
    key: SecretStr | None,
    *,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> ProviderCall:
    key_header, key_prefix = _KEY_HEADERS.get(provider.auth_style, ("", ""))
    return ProviderCall(
        method="GET" if body is None else "POST",
        url=f"{provider.base_url.rstrip('/')}{path}",
        headers=headers,
        body=body,
        key_header=key_header,
        key_prefix=key_prefix,
        key=key if key_header else None,
    )


def _result_of(status: int) -> Result:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Result.SUCCESS
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Result.SERVER_ERROR
    # A redirect, too: the address is not the one that it should be.
    return _STATUSES.get(status, Result.CLIENT_ERROR)


def _holds(answer: ProviderAnswer, is_completion: Callable[[Any], bool]) -> bool:
    if not answer.is_whole:
        return False
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(body, dict) and is_completion(body)


def _has_items(body: dict[str, Any], name: str) -> bool:
    items = body.get(name)
    return isinstance(items, list) and bool(items)


def _openai_body(provider: Provider, model: str) -> dict[str, Any]:
    limit = "max_completion_tokens" if provider.provider == _OPENAI else "max_tokens"
    messages = [{"role": "user", "content": PROMPT}]
    return {"model": model, "messages": messages, limit: MAX_OUTPUT_TOKENS}


def _anthropic_body(_: Provider, model: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": PROMPT}]
    return {"model": model, "max_tokens": MAX_OUTPUT_TOKENS, "messages": messages}


def _gemini_body(_: Provider, __: str) -> dict[str, Any]:
    return {
        "contents": [{"role": "user", "parts": [{"text": PROMPT}]}],
        "generationConfig": {"maxOutputTokens": MAX_OUTPUT_TOKENS},
    }


_WIRES: Final[Mapping[str, _Wire]] = MappingProxyType(
    {
        "openai": _Wire(
            headers={},
            path=lambda _, __: "/chat/completions",
            body=_openai_body,
            is_completion=lambda body: _has_items(body, "choices"),
        ),
        "anthropic": _Wire(
            headers={"anthropic-version": _ANTHROPIC_VERSION},
            path=lambda _, __: "/messages",
            body=_anthropic_body,
            # Of one token nothing may be left to show.
            is_completion=lambda body: (
                body.get("type") == "message" and isinstance(body.get("content"), list)
            ),
        ),
        "gemini": _Wire(
            headers={},
            path=lambda _, model: f"/models/{quote(model, safe='')}:generateContent",
            body=_gemini_body,
            is_completion=lambda body: _has_items(body, "candidates"),
        ),
    }
)
