"""A pytest plugin for CI: tests on real feeds must run, `-p tests.real_data_required`."""

from collections.abc import Generator

import pytest

# The marker, and the fixture of the same name.
MARKER = "real_data"


class RealDataGate:
    """Turns a skipped test on real feeds into a failure, and their absence as well."""

    def __init__(self) -> None:
        self._passed_count = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        asks_for_it = MARKER in item.keywords or MARKER in getattr(item, "fixturenames", ())
        if report.skipped and asks_for_it:
            report.outcome = "failed"
            report.longrepr = f"must not be skipped here: {report.longrepr}"
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._passed_count += report.when == "call" and report.passed and MARKER in report.keywords

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        is_worker = hasattr(session.config, "workerinput")
        if not is_worker and not self._passed_count:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"{self._passed_count} tests on real feeds passed")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RealDataGate())
