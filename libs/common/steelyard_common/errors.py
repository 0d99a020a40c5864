"""Errors that a service may show to its callers; none of them knows about gRPC.

SteelyardError
├── InvalidFieldError, MalformedRequestError, RequestTooLargeError, UnsupportedMediaTypeError
├── UnauthenticatedError, ScopeMissingError
├── ModelNotFoundError, PriceNotFoundError, ProviderNotFoundError, DecisionNotFoundError
├── NoEligibleOfferError, NoHealthyOfferError
├── RefreshInProgressError
├── OverloadedError, DeadlineExceededError, StorageFullError
├── PricingUnavailableError, HealthUnavailableError, RegistryUnavailableError,
│   RouterUnavailableError
└── MethodNotImplementedError, InternalError
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1.error_reason_pb2 import ErrorReason

MAX_NEAREST = 3


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One request field and what is wrong with it; `field` is a path like `usage.model`."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """A limit that was hit; `subject` names it, e.g. `budget:bud_01jd`."""

    subject: str
    problem: str


class SteelyardError(Exception):
    """Base of every error that is safe to show to a caller."""

    reason: ClassVar["ErrorReason.ValueType"]

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_delay: timedelta | None = None,
        violations: Sequence[FieldViolation] = (),
        quota: Sequence[QuotaViolation] = (),
    ) -> None:
        """Keep what the caller gets.

        Args:
            message: One sentence for people, without internals.
            metadata: Everything the message interpolates, for programs.
            retry_delay: When repeating the call makes sense.
            violations: Request fields at fault.
            quota: Limits that were hit.
        """
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = dict(metadata or {})
        self.retry_delay = retry_delay
        self.violations = tuple(violations)
        self.quota = tuple(quota)


class InvalidFieldError(SteelyardError):
    """One or more request fields are missing or out of range."""

    reason = reasons.ERROR_REASON_INVALID_FIELD

    def __init__(self, field: str, problem: str, *others: FieldViolation) -> None:
        """Name the first field; `others` are faults found in the same request."""
        violations = (FieldViolation(field, problem), *others)
        super().__init__(
            "; ".join(f"{violation.field}: {violation.problem}" for violation in violations),
            metadata={"field": field, "problem": problem},
            violations=violations,
        )

    @classmethod
    def of(cls, violations: Sequence[FieldViolation]) -> "InvalidFieldError":
        """Return one error for several faults, of which there is at least one."""
        first, *others = violations
        return cls(first.field, first.problem, *others)


class MalformedRequestError(SteelyardError):
    """The body of a call cannot be read at all."""

    reason = reasons.ERROR_REASON_MALFORMED_REQUEST

    def __init__(self, problem: str) -> None:
        super().__init__(f"malformed request: {problem}", metadata={"problem": problem})


class RequestTooLargeError(SteelyardError):
    """The body of a call is larger than accepted."""

    reason = reasons.ERROR_REASON_REQUEST_TOO_LARGE

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"the request is larger than {limit_bytes} bytes",
            metadata={"limit_bytes": str(limit_bytes)},
        )


class UnsupportedMediaTypeError(SteelyardError):
    """The body of a REST call is not JSON."""

    reason = reasons.ERROR_REASON_UNSUPPORTED_MEDIA_TYPE

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"the content type must be application/json, not {content_type or 'empty'}",
            metadata={"content_type": content_type},
        )


class UnauthenticatedError(SteelyardError):
    """The caller showed no valid key. Says nothing about why, so that keys cannot be guessed."""

    reason = reasons.ERROR_REASON_UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("a valid API key is required")


class ScopeMissingError(SteelyardError):
    """The caller's key lacks the scope of the method."""

    reason = reasons.ERROR_REASON_SCOPE_MISSING

    def __init__(self, required_scope: str, method: str) -> None:
        super().__init__(
            f"{method} needs a key with {required_scope}",
            metadata={"required_scope": required_scope, "method": method},
        )


class ModelNotFoundError(SteelyardError):
    """No model or offer has this name."""

    reason = reasons.ERROR_REASON_MODEL_NOT_FOUND

    def __init__(self, model: str, nearest: Iterable[str] = ()) -> None:
        """Name the unknown model and up to three names that come close."""
        close = list(nearest)[:MAX_NEAREST]
        super().__init__(
            _unknown("model", model, close), metadata={"model": model, "nearest": ",".join(close)}
        )


class PriceNotFoundError(SteelyardError):
    """The offer exists, but no source publishes a price for it."""

    reason = reasons.ERROR_REASON_PRICE_NOT_FOUND

    def __init__(self, model: str) -> None:
        super().__init__(f"no source publishes a price for {model}", metadata={"model": model})


class ProviderNotFoundError(SteelyardError):
    """No provider has this id."""

    reason = reasons.ERROR_REASON_PROVIDER_NOT_FOUND

    def __init__(self, provider: str, nearest: Iterable[str] = ()) -> None:
        """Name the unknown provider and up to three ids that come close."""
        close = list(nearest)[:MAX_NEAREST]
        super().__init__(
            _unknown("provider", provider, close),
            metadata={"provider": provider, "nearest": ",".join(close)},
        )


class DecisionNotFoundError(SteelyardError):
    """The caller's tenant has no decision with this id."""

    reason = reasons.ERROR_REASON_DECISION_NOT_FOUND

    def __init__(self, decision_id: str) -> None:
        super().__init__(
            f"there is no decision {decision_id}", metadata={"decision_id": decision_id}
        )


class ResourceNotFoundError(SteelyardError):
    """The caller's tenant has no such override, rule, held change or snapshot."""

    reason = reasons.ERROR_REASON_RESOURCE_NOT_FOUND

    def __init__(self, resource: str, resource_id: str) -> None:
        """Name what is missing.

        Args:
            resource: What it is, as in the contract's metadata: `override`, `held_change`...
            resource_id: Its id.
        """
        super().__init__(
            f"there is no {resource.replace('_', ' ')} {resource_id}",
            metadata={"resource": resource, "id": resource_id},
        )


class InvalidStateError(SteelyardError):
    """The object's state does not allow the operation."""

    reason = reasons.ERROR_REASON_INVALID_STATE

    def __init__(self, resource: str, resource_id: str, state: str) -> None:
        """Say which object it is, and in which state, e.g. `released`."""
        super().__init__(
            f"{resource.replace('_', ' ')} {resource_id} is {state}",
            metadata={"resource": resource, "id": resource_id, "state": state.upper()},
        )


class NoEligibleOfferError(SteelyardError):
    """Every candidate was rejected."""

    reason = reasons.ERROR_REASON_NO_ELIGIBLE_OFFER

    def __init__(self, rejected: Mapping[str, int]) -> None:
        """Count the rejected candidates per cause, e.g. `REJECTION_REASON_UNPRICED: 4`."""
        total = sum(rejected.values())
        causes = ", ".join(f"{cause}: {count}" for cause, count in sorted(rejected.items()))
        super().__init__(
            f"none of {total} candidates is eligible ({causes or 'there are none'})",
            metadata={"candidates": str(total)} | {key: str(n) for key, n in rejected.items()},
        )


class NoHealthyOfferError(SteelyardError):
    """Candidates exist, but the circuits of all of them are open."""

    reason = reasons.ERROR_REASON_NO_HEALTHY_OFFER

    def __init__(self, candidates: int, retry_delay: timedelta | None = None) -> None:
        super().__init__(
            f"the circuits of all {candidates} candidates are open",
            metadata={"candidates": str(candidates)},
            retry_delay=retry_delay,
        )


class RefreshInProgressError(SteelyardError):
    """Another refresh of the same feed runs at the moment."""

    reason = reasons.ERROR_REASON_REFRESH_IN_PROGRESS

    def __init__(self, source: str) -> None:
        super().__init__(f"{source} is being refreshed already", metadata={"source": source})


class OverloadedError(SteelyardError):
    """The service sheds load."""

    reason = reasons.ERROR_REASON_OVERLOADED

    def __init__(self, retry_delay: timedelta | None = None) -> None:
        super().__init__("the service is overloaded, repeat later", retry_delay=retry_delay)


class DeadlineExceededError(SteelyardError):
    """The call's deadline passed before the answer was complete."""

    reason = reasons.ERROR_REASON_DEADLINE_EXCEEDED

    def __init__(self) -> None:
        super().__init__("the deadline passed before the answer was complete")


class StorageFullError(SteelyardError):
    """There is no room left to write; reads go on."""

    reason = reasons.ERROR_REASON_STORAGE_FULL

    def __init__(self) -> None:
        super().__init__("there is no room left to write, reads go on")


class PricingUnavailableError(SteelyardError):
    """The pricing service did not answer, and no earlier snapshot is known."""

    reason = reasons.ERROR_REASON_PRICING_UNAVAILABLE

    def __init__(self, retry_delay: timedelta | None = None) -> None:
        super().__init__("the pricing service does not answer", retry_delay=retry_delay)


class HealthUnavailableError(SteelyardError):
    """The health service did not answer."""

    reason = reasons.ERROR_REASON_HEALTH_UNAVAILABLE

    def __init__(self, retry_delay: timedelta | None = None) -> None:
        super().__init__("the health service does not answer", retry_delay=retry_delay)


class RegistryUnavailableError(SteelyardError):
    """The registry did not answer, and no earlier catalogue is known."""

    reason = reasons.ERROR_REASON_REGISTRY_UNAVAILABLE

    def __init__(self, retry_delay: timedelta | None = None) -> None:
        super().__init__("the registry does not answer", retry_delay=retry_delay)


class RouterUnavailableError(SteelyardError):
    """The router did not answer."""

    reason = reasons.ERROR_REASON_ROUTER_UNAVAILABLE

    def __init__(self, retry_delay: timedelta | None = None) -> None:
        super().__init__("the router does not answer", retry_delay=retry_delay)


class MethodNotImplementedError(SteelyardError):
    """The method is in the contract, but not served by this version."""

    reason = reasons.ERROR_REASON_NOT_IMPLEMENTED

    def __init__(self, method: str) -> None:
        super().__init__(f"this version does not serve {method}", metadata={"method": method})


class InternalError(SteelyardError):
    """A fault of ours; what happened is only in the log."""

    reason = reasons.ERROR_REASON_INTERNAL

    def __init__(self) -> None:
        super().__init__("internal error")


def _unknown(kind: str, name: str, nearest: Sequence[str]) -> str:
    hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
    return f"there is no {kind} {name!r}{hint}"
