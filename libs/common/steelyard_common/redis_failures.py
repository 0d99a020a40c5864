"""What a failed call of Redis tells: whether Redis is away, and one word about why."""

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

WRONG_TYPE = "WRONGTYPE"
_MAX_CODE_LENGTH = 20


def is_garbage(error: RedisError) -> bool:
    """Whether Redis works and only a key is not what it should be.

    Older servers wrap what happens inside a script into a longer message.
    """
    return isinstance(error, ResponseError) and WRONG_TYPE in str(error)


def kind_of(error: Exception) -> str:
    """Return one word, or the code of an error reply.

    The words are `timeout`, `connection`, `certificate`, `protocol` and `credentials`.

    Never more than that: messages name hosts and users.
    """
    if isinstance(error, TimeoutError | RedisTimeoutError):
        return "timeout"
    if isinstance(error, AuthenticationError):
        return "credentials"
    if isinstance(error, BusyLoadingError):
        return "LOADING"
    if isinstance(error, InvalidResponse):
        return "protocol"
    if isinstance(error, ResponseError):
        return _code(error)
    # The error of TLS arrives as a text inside a redis-py error.
    return "certificate" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "connection"


def _code(error: ResponseError) -> str:
    code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
    is_code = code.isascii() and code.isalpha() and code.isupper()
    return code if is_code and len(code) <= _MAX_CODE_LENGTH else "ERR"
