"""Whether another service answers, told in the log once when that changes."""

import grpc
import structlog

logger = structlog.get_logger(__name__)


class Dependency:
    """What is known of one service from the calls that it answered or not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._is_answering: bool | None = None

    def answered(self) -> None:
        if self._is_answering is not True:
            logger.info("dependency answers", dependency=self.name)
            self._is_answering = True

    def failed(self, error: grpc.aio.AioRpcError) -> None:
        code = error.code().name
        if self._is_answering is None:  # it may be starting just now, as this process is
            logger.info("dependency does not answer yet", dependency=self.name, code=code)
        elif self._is_answering:
            logger.warning(
                "dependency does not answer, last known data is used",
                dependency=self.name,
                code=code,
            )
        self._is_answering = False
