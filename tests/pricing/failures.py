"""What a failed call says."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from steelyard_common.grpc_status import error_info


async def failure_of(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Return code, reason and metadata of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info = error_info(caught.value)
    assert isinstance(info, ErrorInfo)
    assert info.domain == "steelyard.dev"
    metadata = dict(info.metadata)
    assert metadata.pop("request_id")
    return caught.value.code(), info.reason, metadata
