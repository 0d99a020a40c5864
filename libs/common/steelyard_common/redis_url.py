"""The URL of a Redis, taken apart; what is wrong with one is said without showing it."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

SCHEMES = ("redis", "rediss")
DEFAULT_PORT = 6379
MAX_DATABASE = 1023
_SHAPE = "must look like redis://[user:password@]host[:port][/database], or rediss:// for TLS"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """Where a Redis is, and who asks; not for logs."""

    host: str
    port: int
    is_tls: bool
    database: int
    username: str | None
    password: SecretStr | None

    @classmethod
    def parse(cls, url: SecretStr) -> "RedisUrl":
        """Read a URL; options after a question mark are refused, for they could undo the timeouts.

        Raises:
            ValueError: It is not the URL of a Redis; the message does not quote it.
        """
        parts, port = _split(url.get_secret_value())
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError(_SHAPE)
        if parts.query or parts.fragment:
            raise ValueError("must not have options after the database")
        return cls(
            host=parts.hostname,
            port=port or DEFAULT_PORT,
            is_tls=parts.scheme == "rediss",
            database=_database(parts.path),
            username=unquote(parts.username) if parts.username else None,
            password=SecretStr(unquote(parts.password)) if parts.password else None,
        )


def checked_redis_url(url: SecretStr | None) -> SecretStr | None:
    """Return a URL that can be used, for a setting.

    Raises:
        ValueError: It cannot; the message does not quote it.
    """
    if url is not None:
        RedisUrl.parse(url)
    return url


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Its message quotes a part of the URL.
        raise ValueError(_SHAPE) from None
    return parts, port


def _database(path: str) -> int:
    number = path.removeprefix("/")
    if not number:
        return 0
    if not (number.isascii() and number.isdigit() and int(number[:5]) <= MAX_DATABASE):
        raise ValueError(f"must name its database by a number from 0 to {MAX_DATABASE}")
    return int(number[:5])
