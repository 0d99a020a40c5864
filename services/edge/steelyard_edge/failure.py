"""What a client is told when a request fails, wherever the fault was found."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1.error_reason_pb2 import ErrorReason
from steelyard_common.call_failure import CallFailure
from steelyard_common.errors import (
    FieldViolation,
    InternalError,
    InvalidFieldError,
    MalformedRequestError,
    QuotaViolation,
    SteelyardError,
)
from steelyard_common.grpc_status import STATUSES

MAX_VIOLATIONS = 12


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request: status, the reason to branch on, a sentence, and what it is about."""

    status: HTTPStatus
    reason: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class CallFailedError(Exception):
    """A service answered with an error of its own, which is passed on."""

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class SlowBodyError(Exception):
    """The body of a request did not arrive in time."""

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(f"the body did not arrive within {limit_seconds:g} s")


@contextmanager
def fields_within(part: str) -> Iterator[None]:
    """Name fields that a service refuses as the body does, which is only one part of the call."""
    try:
        yield
    except CallFailedError as error:
        if error.failure.reason != reasons.ERROR_REASON_INVALID_FIELD:
            raise
        violations = [
            FieldViolation(each.field.removeprefix(f"{part}."), each.problem)
            for each in error.failure.violations
        ]
        if not violations:
            raise
        raise InvalidFieldError.of(violations) from None


def describe(error: Exception) -> Failure | None:
    """Return what the client may know about an error, None when that is nothing."""
    match error:
        case SteelyardError():
            return from_error(error)
        case CallFailedError():
            return _from_call(error.failure)
        case RequestValidationError():
            return from_error(_from_validation(error.errors()))
        case SlowBodyError():
            return _without_reason(HTTPStatus.REQUEST_TIMEOUT, str(error), {"connection": "close"})
        case HTTPException():
            return _from_http(error)
        case _:
            return None


def internal() -> Failure:
    """Return what is said about a fault of ours: nothing."""
    return from_error(InternalError())


def from_error(error: SteelyardError) -> Failure:
    """Return the failure for an error found here."""
    return Failure(
        status=STATUSES[error.reason][1],
        reason=ErrorReason.Name(error.reason),
        message=error.message,
        details=_details(error.metadata, error.violations, error.quota),
        headers=_retry_after(error.retry_delay),
    )


def _from_call(call: CallFailure) -> Failure:
    return Failure(
        status=call.http_status,
        reason=call.reason_name or ErrorReason.Name(reasons.ERROR_REASON_INTERNAL),
        message=call.message,
        details=_details(call.metadata, call.violations, call.quota),
        headers=_retry_after(call.retry_delay),
    )


def _from_validation(faults: Sequence[Mapping[str, Any]]) -> SteelyardError:
    for fault in faults:
        if fault["type"] == "json_invalid":
            return MalformedRequestError(f"the body is not valid JSON: {fault['ctx']['error']}")
    return InvalidFieldError.of(
        [
            FieldViolation(_path(fault["loc"]), str(fault["msg"]).removeprefix("Value error, "))
            for fault in faults
        ]
    )


def _from_http(error: HTTPException) -> Failure:
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.NOT_FOUND:
        return Failure(
            status,
            ErrorReason.Name(reasons.ERROR_REASON_RESOURCE_NOT_FOUND),
            "there is no such route",
        )
    return _without_reason(status, status.description or status.phrase, headers)


def _without_reason(status: HTTPStatus, message: str, headers: Mapping[str, str]) -> Failure:
    """Return a failure that exists in HTTP only, so that the contract has no reason for it."""
    reason = ErrorReason.Name(reasons.ERROR_REASON_MALFORMED_REQUEST)
    return Failure(status, reason, message, headers=headers)


def _path(location: Sequence[str | int]) -> str:
    """Return `policy.weights[0]` for what pydantic found at (`body`, `policy`, `weights`, 0)."""
    steps = location[1:] or location
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _details(
    metadata: Mapping[str, str],
    violations: Sequence[FieldViolation],
    quota: Sequence[QuotaViolation],
) -> dict[str, Any]:
    details: dict[str, Any] = dict(metadata)
    if "nearest" in details:
        details["nearest"] = [name for name in metadata["nearest"].split(",") if name]
    if violations:
        # The metadata repeats the first of them.
        details.pop("field", None)
        details.pop("problem", None)
        details["fields"] = [
            {"field": violation.field, "problem": violation.problem}
            for violation in violations[:MAX_VIOLATIONS]
        ]
    if quota:
        details["limits"] = [
            {"subject": violation.subject, "problem": violation.problem} for violation in quota
        ]
    return details


def _retry_after(delay: timedelta | None) -> dict[str, str]:
    return {} if delay is None else {"retry-after": str(math.ceil(delay.total_seconds()))}
