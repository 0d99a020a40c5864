"""Paths before they were decoded, for names that have slashes in them."""

from urllib.parse import unquote

from starlette.types import Scope


def decoded_tail(scope: Scope, prefix: str) -> str | None:
    """Return what follows `prefix`, each %-sequence decoded once; None if it is not in front."""
    raw: bytes = scope.get("raw_path", b"")
    path = raw.partition(b"?")[0].decode("ascii", "replace")
    return unquote(path.removeprefix(prefix)) if path.startswith(prefix) else None
