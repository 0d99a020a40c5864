"""Why the content of a source is not taken over."""


class SourceRefusedError(Exception):
    """The body of a source is not acceptable as a whole; the last good one stays."""

    def __init__(self, cause: str, message: str) -> None:
        """Say what is wrong.

        Args:
            cause: For programs, e.g. `not_json`, `shrunk`.
            message: One sentence for people.
        """
        super().__init__(message)
        self.cause = cause
