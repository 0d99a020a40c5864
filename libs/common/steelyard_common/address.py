"""Where a service listens and is dialled: `host:port` or `unix:/path`."""

import ipaddress
from dataclasses import dataclass

MAX_PORT = 65535
_UNIX = "unix:"


@dataclass(frozen=True, slots=True)
class Address:
    """A host with a port, or the path of a unix socket."""

    host: str
    port: int = 0
    unix_path: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `127.0.0.1:50051`, `[::1]:50051`, `pricing:50051` or `unix:/run/pricing.sock`.

        Raises:
            ValueError: It is none of these.
        """
        if text.startswith(_UNIX):
            path = text.removeprefix(_UNIX)
            if not path:
                raise ValueError("must name a path after unix:")
            return cls("", unix_path=path)
        host, separator, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not separator or not host or (":" in host and not bracketed):
            raise ValueError("must be host:port, [ipv6]:port or unix:/path")
        if not (port.isascii() and port.isdigit() and int(port) <= MAX_PORT):
            raise ValueError(f"must end in a port from 0 to {MAX_PORT}")
        return cls(host[1:-1] if bracketed else host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; a host name other than localhost is not."""
        if self.unix_path is not None or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def target(self) -> str:
        """The address as gRPC takes it."""
        return str(self)

    def __str__(self) -> str:
        if self.unix_path is not None:
            return f"{_UNIX}{self.unix_path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
