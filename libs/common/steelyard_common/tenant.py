"""Who is calling: known only from an authenticated key, never from a request body."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from steelyard.common.v1 import access_pb2
from steelyard.common.v1.access_pb2 import Scope
from steelyard_common.errors import UnauthenticatedError

ALL_SCOPES: "frozenset[Scope.ValueType]" = frozenset(
    scope for scope in Scope.values() if scope != access_pb2.SCOPE_UNSPECIFIED
)
LOCAL_TENANT_ID = "local"
DEFAULT_WORKSPACE_ID = "default"


@dataclass(frozen=True, slots=True)
class TenantContext:
    """The tenant on whose behalf a call runs, and what its key may do."""

    tenant_id: str
    workspace_id: str
    scopes: "frozenset[Scope.ValueType]"
    key_id: str | None = None
    """Id of the key that was shown; None for the anonymous tenant."""

    def allows(self, scope: "Scope.ValueType") -> bool:
        """Say whether the key may call methods of `scope`; `SCOPE_ADMIN` includes all."""
        return scope in self.scopes or access_pb2.SCOPE_ADMIN in self.scopes


ANONYMOUS = TenantContext(LOCAL_TENANT_ID, DEFAULT_WORKSPACE_ID, ALL_SCOPES)

_current: ContextVar[TenantContext] = ContextVar("steelyard_tenant")


class Authenticator(Protocol):
    """Turns the metadata of a call into the tenant that made it."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        """Return the caller.

        Args:
            metadata: Text metadata of the call, lower-case keys.

        Raises:
            UnauthenticatedError: No valid key was shown.
        """


class AnonymousAuthenticator:
    """Lets everybody in as the local tenant: for listeners on loopback only."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        del metadata
        return ANONYMOUS


class RejectingAuthenticator:
    """Lets nobody in: authentication is on, but the process knows no keys."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        del metadata
        raise UnauthenticatedError


def current_tenant() -> TenantContext:
    """Return the tenant of the call being handled.

    Raises:
        LookupError: No call is being handled.
    """
    return _current.get()


def current_actor() -> str:
    """Return who is calling, for the history of what people decide: tenant and key.

    Raises:
        LookupError: No call is being handled.
    """
    caller = current_tenant()
    return f"{caller.tenant_id}/{caller.key_id}" if caller.key_id else caller.tenant_id


def set_current_tenant(tenant: TenantContext) -> None:
    """Make `tenant` the caller for the rest of this task."""
    _current.set(tenant)
