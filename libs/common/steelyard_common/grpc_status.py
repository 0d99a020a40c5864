"""The one place where errors become gRPC statuses, and statuses become values again."""

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Final, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1.error_reason_pb2 import ErrorReason
from steelyard_common.call_failure import CallFailure
from steelyard_common.errors import FieldViolation, QuotaViolation, SteelyardError
from steelyard_common.request_id import HEADER as REQUEST_ID_KEY

ERROR_DOMAIN = "steelyard.dev"
DETAILS_KEY = "grpc-status-details-bin"
RETRY_AFTER_KEY = "retry-after"
PUSHBACK_KEY = "grpc-retry-pushback-ms"

# gRPC refuses more than 8 KiB of metadata, and callers choose some of what errors quote.
# In bytes of UTF-8; the message travels percent-encoded, the details in base 64.
MAX_MESSAGE_BYTES = 512
MAX_VALUE_BYTES = 160
MAX_VIOLATIONS = 12
# Longer waits are the caller's business: gRPC would sit them out inside the call's deadline.
MAX_PUSHBACK = timedelta(milliseconds=100)

M = TypeVar("M", bound=Message)

Metadata = tuple[tuple[str, str | bytes], ...]

STATUSES: "Final[dict[ErrorReason.ValueType, tuple[StatusCode, HTTPStatus]]]" = {
    reasons.ERROR_REASON_INVALID_FIELD: (
        StatusCode.INVALID_ARGUMENT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
    reasons.ERROR_REASON_MALFORMED_REQUEST: (StatusCode.INVALID_ARGUMENT, HTTPStatus.BAD_REQUEST),
    reasons.ERROR_REASON_REQUEST_TOO_LARGE: (
        StatusCode.RESOURCE_EXHAUSTED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ),
    reasons.ERROR_REASON_UNSUPPORTED_MEDIA_TYPE: (
        StatusCode.INVALID_ARGUMENT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ),
    reasons.ERROR_REASON_UNAUTHENTICATED: (StatusCode.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED),
    reasons.ERROR_REASON_SCOPE_MISSING: (StatusCode.PERMISSION_DENIED, HTTPStatus.FORBIDDEN),
    reasons.ERROR_REASON_MODEL_NOT_FOUND: (StatusCode.NOT_FOUND, HTTPStatus.NOT_FOUND),
    reasons.ERROR_REASON_PRICE_NOT_FOUND: (StatusCode.NOT_FOUND, HTTPStatus.NOT_FOUND),
    reasons.ERROR_REASON_PROVIDER_NOT_FOUND: (StatusCode.NOT_FOUND, HTTPStatus.NOT_FOUND),
    reasons.ERROR_REASON_DECISION_NOT_FOUND: (StatusCode.NOT_FOUND, HTTPStatus.NOT_FOUND),
    reasons.ERROR_REASON_RESOURCE_NOT_FOUND: (StatusCode.NOT_FOUND, HTTPStatus.NOT_FOUND),
    reasons.ERROR_REASON_RESOURCE_ALREADY_EXISTS: (StatusCode.ALREADY_EXISTS, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_STALE_ETAG: (StatusCode.ABORTED, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_INVALID_STATE: (StatusCode.FAILED_PRECONDITION, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_NO_ELIGIBLE_OFFER: (StatusCode.FAILED_PRECONDITION, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_NO_HEALTHY_OFFER: (StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    reasons.ERROR_REASON_BUDGET_EXCEEDED: (
        StatusCode.RESOURCE_EXHAUSTED,
        HTTPStatus.PAYMENT_REQUIRED,
    ),
    reasons.ERROR_REASON_RATE_LIMITED: (
        StatusCode.RESOURCE_EXHAUSTED,
        HTTPStatus.TOO_MANY_REQUESTS,
    ),
    reasons.ERROR_REASON_OVERLOADED: (StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    reasons.ERROR_REASON_DEADLINE_EXCEEDED: (
        StatusCode.DEADLINE_EXCEEDED,
        HTTPStatus.GATEWAY_TIMEOUT,
    ),
    reasons.ERROR_REASON_PRICING_UNAVAILABLE: (
        StatusCode.UNAVAILABLE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    reasons.ERROR_REASON_HEALTH_UNAVAILABLE: (
        StatusCode.UNAVAILABLE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    reasons.ERROR_REASON_REGISTRY_UNAVAILABLE: (
        StatusCode.UNAVAILABLE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    reasons.ERROR_REASON_ROUTER_UNAVAILABLE: (
        StatusCode.UNAVAILABLE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    reasons.ERROR_REASON_LEDGER_UNAVAILABLE: (
        StatusCode.UNAVAILABLE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    reasons.ERROR_REASON_VAULT_UNAVAILABLE: (
        StatusCode.UNAVAILABLE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    reasons.ERROR_REASON_STORAGE_FULL: (StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    reasons.ERROR_REASON_PROVIDER_KEY_MISSING: (
        StatusCode.FAILED_PRECONDITION,
        HTTPStatus.FAILED_DEPENDENCY,
    ),
    reasons.ERROR_REASON_PROVIDER_KEY_INVALID: (
        StatusCode.FAILED_PRECONDITION,
        HTTPStatus.FAILED_DEPENDENCY,
    ),
    reasons.ERROR_REASON_UPSTREAM_RATE_LIMITED: (
        StatusCode.RESOURCE_EXHAUSTED,
        HTTPStatus.TOO_MANY_REQUESTS,
    ),
    reasons.ERROR_REASON_UPSTREAM_REJECTED: (
        StatusCode.FAILED_PRECONDITION,
        HTTPStatus.FAILED_DEPENDENCY,
    ),
    reasons.ERROR_REASON_UPSTREAM_FAILED: (StatusCode.UNAVAILABLE, HTTPStatus.BAD_GATEWAY),
    reasons.ERROR_REASON_STREAM_INTERRUPTED: (StatusCode.ABORTED, HTTPStatus.BAD_GATEWAY),
    reasons.ERROR_REASON_ATTEMPT_CONSUMED: (StatusCode.ABORTED, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_IDEMPOTENCY_CONFLICT: (
        StatusCode.ALREADY_EXISTS,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
    reasons.ERROR_REASON_IDEMPOTENCY_IN_PROGRESS: (StatusCode.ABORTED, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_OUTPUT_INVALID: (
        StatusCode.FAILED_PRECONDITION,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
    reasons.ERROR_REASON_REFRESH_IN_PROGRESS: (StatusCode.ABORTED, HTTPStatus.CONFLICT),
    reasons.ERROR_REASON_NOT_IMPLEMENTED: (StatusCode.UNIMPLEMENTED, HTTPStatus.NOT_IMPLEMENTED),
    reasons.ERROR_REASON_INTERNAL: (StatusCode.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR),
}

# For statuses that did not come from a service of ours: no connection, a proxy, gRPC itself.
FALLBACK_HTTP: "Final[dict[StatusCode, HTTPStatus]]" = {
    StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
    StatusCode.CANCELLED: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_code(error: SteelyardError) -> StatusCode:
    return STATUSES[error.reason][0]


def to_status(error: SteelyardError, request_id: str | None = None) -> status_pb2.Status:
    """Return the google.rpc.Status for an error, with every detail that it carries."""
    return status_pb2.Status(
        code=status_code(error).value[0],
        message=to_message(error),
        details=[_packed(detail) for detail in _details(error, request_id)],
    )


def to_message(error: SteelyardError) -> str:
    """Return the sentence for people, short enough to be sent."""
    return _clip(str(error), MAX_MESSAGE_BYTES)


def to_metadata(error: SteelyardError, request_id: str | None = None) -> Metadata:
    """Return the trailing metadata that carries an error beside its code and message."""
    pairs: list[tuple[str, str | bytes]] = [
        (DETAILS_KEY, to_status(error, request_id).SerializeToString())
    ]
    if request_id:
        pairs.append((REQUEST_ID_KEY, request_id))
    if error.retry_delay is not None:
        pairs.append((RETRY_AFTER_KEY, str(math.ceil(error.retry_delay.total_seconds()))))
        pairs.append((PUSHBACK_KEY, _pushback(error.retry_delay)))
    return tuple(pairs)


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    """Return the ErrorInfo that a call failed with, or None if it carried none."""
    return _first(_attached(error), error_details_pb2.ErrorInfo())


def failure(error: grpc.aio.AioRpcError) -> CallFailure:
    """Return what a failed call says, whoever it comes from."""
    status = _attached(error)
    info = _first(status, error_details_pb2.ErrorInfo())
    metadata = dict(info.metadata) if info else {}
    reason = _reason(info)
    retry = _first(status, error_details_pb2.RetryInfo())
    fields = _first(status, error_details_pb2.BadRequest())
    quota = _first(status, error_details_pb2.QuotaFailure())
    return CallFailure(
        code=error.code(),
        http_status=_http_status(reason, error.code()),
        reason=reason,
        message=error.details() or "",
        request_id=metadata.pop("request_id", None),
        metadata=metadata,
        retry_delay=retry.retry_delay.ToTimedelta() if retry else None,
        violations=tuple(
            FieldViolation(v.field, v.description)
            for v in (fields.field_violations if fields else ())
        ),
        quota=tuple(
            QuotaViolation(v.subject, v.description) for v in (quota.violations if quota else ())
        ),
    )


def _details(error: SteelyardError, request_id: str | None) -> Iterator[Message]:
    metadata = {key: _clip(value, MAX_VALUE_BYTES) for key, value in error.metadata.items()}
    if request_id:
        metadata["request_id"] = request_id
    yield error_details_pb2.ErrorInfo(
        reason=ErrorReason.Name(error.reason), domain=ERROR_DOMAIN, metadata=metadata
    )
    if error.violations:
        yield _bad_request(error.violations[:MAX_VIOLATIONS])
    if error.retry_delay is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_delay)
        yield retry
    if error.quota:
        yield _quota_failure(error.quota[:MAX_VIOLATIONS])


def _bad_request(violations: Iterable[FieldViolation]) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=_clip(violation.field, MAX_VALUE_BYTES),
                description=_clip(violation.problem, MAX_VALUE_BYTES),
            )
            for violation in violations
        ]
    )


def _quota_failure(violations: Iterable[QuotaViolation]) -> error_details_pb2.QuotaFailure:
    return error_details_pb2.QuotaFailure(
        violations=[
            error_details_pb2.QuotaFailure.Violation(
                subject=_clip(violation.subject, MAX_VALUE_BYTES),
                description=_clip(violation.problem, MAX_VALUE_BYTES),
            )
            for violation in violations
        ]
    )


def _packed(message: Message) -> AnyProto:
    packed = AnyProto()
    packed.Pack(message)
    return packed


def _pushback(delay: timedelta) -> str:
    """Return milliseconds, or -1: do not repeat the call by yourself."""
    return str(delay // timedelta(milliseconds=1)) if delay <= MAX_PUSHBACK else "-1"


def _clip(text: str, limit_bytes: int) -> str:
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit_bytes:
        return encoded.decode()
    return f"{encoded[: limit_bytes - len('…'.encode())].decode('utf-8', 'ignore')}…"


def _attached(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:  # from a stranger: as good as none
                break
    return status_pb2.Status()


def _first(status: status_pb2.Status, message: M) -> M | None:
    return message if any(detail.Unpack(message) for detail in status.details) else None


def _reason(info: error_details_pb2.ErrorInfo | None) -> "ErrorReason.ValueType | None":
    if info is None or info.domain != ERROR_DOMAIN or info.reason not in ErrorReason.keys():  # noqa: SIM118
        return None
    return ErrorReason.Value(info.reason)


def _http_status(reason: "ErrorReason.ValueType | None", code: StatusCode) -> HTTPStatus:
    if reason in STATUSES:
        return STATUSES[reason][1]
    return FALLBACK_HTTP.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)
