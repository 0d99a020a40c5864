"""What a failed call says, as a value: for the edge, the CLI and whoever asks another service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import grpc

from steelyard.common.v1.error_reason_pb2 import ErrorReason
from steelyard_common.errors import FieldViolation, QuotaViolation


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A failed call, decoded. `reason` is None when no service of ours answered."""

    code: grpc.StatusCode
    http_status: HTTPStatus
    reason: "ErrorReason.ValueType | None"
    message: str
    request_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The ErrorInfo's metadata without `request_id`."""
    retry_delay: timedelta | None = None
    violations: tuple[FieldViolation, ...] = ()
    quota: tuple[QuotaViolation, ...] = ()

    @property
    def reason_name(self) -> str | None:
        """The reason as sent, e.g. `ERROR_REASON_MODEL_NOT_FOUND`."""
        return None if self.reason is None else ErrorReason.Name(self.reason)
