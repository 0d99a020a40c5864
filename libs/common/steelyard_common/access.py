"""Scopes that the methods of a service declare in their `.proto`."""

from collections.abc import Mapping

from google.protobuf.descriptor import ServiceDescriptor

from steelyard.common.v1 import access_pb2
from steelyard.common.v1.access_pb2 import Scope


class UndeclaredScopeError(Exception):
    """A method of our own says nothing about who may call it: a fault of the build."""


def required_scopes(service: ServiceDescriptor) -> "Mapping[str, Scope.ValueType]":
    """Return the scope of each method of a service.

    Raises:
        UndeclaredScopeError: Methods without a scope; all are named.
    """
    scopes = {
        method.name: method.GetOptions().Extensions[access_pb2.required_scope]
        for method in service.methods
    }
    undeclared = [name for name, scope in scopes.items() if scope == access_pb2.SCOPE_UNSPECIFIED]
    if undeclared:
        raise UndeclaredScopeError(
            f"{service.full_name} declares no required_scope for {', '.join(undeclared)}"
        )
    return scopes
