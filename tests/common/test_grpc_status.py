"""The table of statuses, and errors on their way over the wire and back."""

import re
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1.error_reason_pb2 import ErrorReason
from steelyard_common import errors
from steelyard_common.errors import FieldViolation, QuotaViolation, SteelyardError
from steelyard_common.grpc_status import STATUSES, error_info, failure, to_status
from tests.conftest import Serve
from tests.echo import Context, EchoServicer, EchoStub, add_echo_to_server, echo_request

PROTO = Path(__file__).parents[2] / "protos" / "steelyard" / "common" / "v1" / "error_reason.proto"
DOCUMENTED = re.compile(
    r"// (?P<code>[A-Z_]+) / (?P<http>\d{3})\.\n(?:  //.*\n)*  (?P<reason>ERROR_REASON_\w+) = \d+;"
)
ALL_REASONS = sorted(set(ErrorReason.values()) - {reasons.ERROR_REASON_UNSPECIFIED})


def error_classes() -> list[type[SteelyardError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type)
        and issubclass(value, SteelyardError)
        and value is not SteelyardError
    ]


async def caught(serve: Serve, error: Exception) -> grpc.aio.AioRpcError:
    """Return what a client sees when a handler raises `error`."""

    async def answer(_request: Any, _context: Context) -> Any:
        raise error

    stub = EchoStub(await serve(add_echo_to_server, EchoServicer(answer)))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.Echo(echo_request(), timeout=5, metadata=(("x-request-id", "req-test"),))
    return raised.value


def test_every_reason_has_a_status() -> None:
    assert sorted(STATUSES) == ALL_REASONS


def test_the_table_says_what_the_contract_says() -> None:
    documented = {
        match["reason"]: (match["code"], int(match["http"]))
        for match in DOCUMENTED.finditer(PROTO.read_text())
    }

    assert documented == {
        ErrorReason.Name(reason): (code.name, http.value)
        for reason, (code, http) in STATUSES.items()
    }


def test_no_two_errors_share_a_reason() -> None:
    used = [error.reason for error in error_classes()]

    assert len(used) == len(set(used))
    assert reasons.ERROR_REASON_UNSPECIFIED not in used


@pytest.mark.parametrize(
    ("error", "code", "http", "metadata"),
    [
        (
            errors.ModelNotFoundError("gpt-4-mini", ["gpt-4o-mini", "gpt-4.1-mini", "a", "b"]),
            grpc.StatusCode.NOT_FOUND,
            HTTPStatus.NOT_FOUND,
            {"model": "gpt-4-mini", "nearest": "gpt-4o-mini,gpt-4.1-mini,a"},
        ),
        (
            errors.PriceNotFoundError("openrouter/auto"),
            grpc.StatusCode.NOT_FOUND,
            HTTPStatus.NOT_FOUND,
            {"model": "openrouter/auto"},
        ),
        (
            errors.ProviderNotFoundError("opnai", ["openai"]),
            grpc.StatusCode.NOT_FOUND,
            HTTPStatus.NOT_FOUND,
            {"provider": "opnai", "nearest": "openai"},
        ),
        (
            errors.NoEligibleOfferError({"REJECTION_REASON_UNPRICED": 2, "OTHER": 1}),
            grpc.StatusCode.FAILED_PRECONDITION,
            HTTPStatus.CONFLICT,
            {"candidates": "3", "REJECTION_REASON_UNPRICED": "2", "OTHER": "1"},
        ),
        (
            errors.DecisionNotFoundError("dec_1"),
            grpc.StatusCode.NOT_FOUND,
            HTTPStatus.NOT_FOUND,
            {"decision_id": "dec_1"},
        ),
        (
            errors.RefreshInProgressError("litellm"),
            grpc.StatusCode.ABORTED,
            HTTPStatus.CONFLICT,
            {"source": "litellm"},
        ),
        (
            errors.RequestTooLargeError(8388608),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            {"limit_bytes": "8388608"},
        ),
        (
            errors.MalformedRequestError("not JSON"),
            grpc.StatusCode.INVALID_ARGUMENT,
            HTTPStatus.BAD_REQUEST,
            {"problem": "not JSON"},
        ),
        (
            errors.UnsupportedMediaTypeError("text/plain"),
            grpc.StatusCode.INVALID_ARGUMENT,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            {"content_type": "text/plain"},
        ),
        (
            errors.PricingUnavailableError(),
            grpc.StatusCode.UNAVAILABLE,
            HTTPStatus.SERVICE_UNAVAILABLE,
            {},
        ),
        (
            errors.StorageFullError(),
            grpc.StatusCode.UNAVAILABLE,
            HTTPStatus.SERVICE_UNAVAILABLE,
            {},
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SteelyardError) else None,
)
async def test_an_error_arrives_with_code_reason_message_and_metadata(
    serve: Serve,
    error: SteelyardError,
    code: grpc.StatusCode,
    http: HTTPStatus,
    metadata: dict[str, str],
) -> None:
    seen = failure(await caught(serve, error))

    assert (seen.code, seen.http_status, seen.reason) == (code, http, error.reason)
    assert seen.message == str(error)
    assert seen.metadata == metadata
    assert seen.request_id == "req-test"


async def test_error_info_is_what_the_contract_shows(serve: Serve) -> None:
    error = await caught(serve, errors.PriceNotFoundError("acme/none"))

    assert error_info(error) == error_details_pb2.ErrorInfo(
        reason="ERROR_REASON_PRICE_NOT_FOUND",
        domain="steelyard.dev",
        metadata={"model": "acme/none", "request_id": "req-test"},
    )


async def test_several_bad_fields_arrive_together(serve: Serve) -> None:
    error = errors.InvalidFieldError(
        "usage.output_token_count", "must be >= 0", FieldViolation("offers", "must not be empty")
    )

    seen = failure(await caught(serve, error))

    assert seen.violations == (
        FieldViolation("usage.output_token_count", "must be >= 0"),
        FieldViolation("offers", "must not be empty"),
    )
    assert seen.metadata == {"field": "usage.output_token_count", "problem": "must be >= 0"}


async def test_a_retry_delay_arrives_as_detail_and_as_header(serve: Serve) -> None:
    error = await caught(serve, errors.NoHealthyOfferError(3, timedelta(seconds=4.2)))

    trailing = dict(error.trailing_metadata() or ())
    assert failure(error).retry_delay == timedelta(seconds=4.2)
    assert trailing["retry-after"] == "5"
    assert trailing["x-request-id"] == "req-test"


async def test_a_quota_arrives(serve: Serve) -> None:
    class BudgetExceededError(SteelyardError):
        reason = reasons.ERROR_REASON_BUDGET_EXCEEDED

    quota = QuotaViolation("budget:bud_1", "spent")

    seen = failure(await caught(serve, BudgetExceededError("no money left", quota=[quota])))

    assert seen.quota == (quota,)
    assert seen.http_status is HTTPStatus.PAYMENT_REQUIRED


@pytest.mark.parametrize(
    "letter",
    ["m", "模", "\N{FLEXED BICEPS}", "\x00", "\ud800"],
    ids=["ascii", "three bytes", "four bytes", "control", "surrogate"],
)
async def test_a_huge_or_odd_quoted_name_does_not_break_the_error(
    serve: Serve, letter: str
) -> None:
    seen = failure(await caught(serve, errors.ModelNotFoundError(letter * 50_000)))

    assert seen.reason == reasons.ERROR_REASON_MODEL_NOT_FOUND
    assert 150 < len(seen.metadata["model"].encode()) <= 160


async def test_many_bad_fields_do_not_break_the_error(serve: Serve) -> None:
    violations = [FieldViolation(f"offers[{index}]" * 50, "模" * 300) for index in range(500)]

    seen = failure(await caught(serve, errors.InvalidFieldError.of(violations)))

    assert seen.reason == reasons.ERROR_REASON_INVALID_FIELD
    assert len(seen.violations) == 12


async def test_a_call_that_nobody_answers_has_no_reason() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await EchoStub(channel).Echo(echo_request(), timeout=5)

    seen = failure(raised.value)
    assert (seen.code, seen.reason, seen.http_status) == (
        grpc.StatusCode.UNAVAILABLE,
        None,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )


@pytest.mark.parametrize(
    "details",
    [b"\xff\xfe garbage", b"", to_status(errors.InternalError()).SerializeToString()[:-3]],
)
def test_broken_details_of_a_stranger_count_as_none(details: bytes) -> None:
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.INTERNAL,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(("grpc-status-details-bin", details)),
        details="odd",
    )

    seen = failure(error)

    assert (seen.reason, seen.reason_name) == (None, None)
    assert seen.http_status is HTTPStatus.INTERNAL_SERVER_ERROR


def test_the_reason_of_another_domain_is_not_ours() -> None:
    status = to_status(errors.InternalError())
    info = error_details_pb2.ErrorInfo(reason="ERROR_REASON_INTERNAL", domain="example.org")
    status.details[0].Pack(info)
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.INTERNAL,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString())),
    )

    assert failure(error).reason is None
