"""Settings of all tests: hypothesis without a clock (a shared machine is no stopwatch), and no skipping in CI."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from etl.view import DEFAULT as ALL_REPORTS

settings.register_profile(
    "default", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("soak", settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of CI that skipped a test: there, all that the tests need is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let tests wait for nothing that they do not look at.

    Outside the tests of the journal itself its commits are not forced to disk: only a loss of power would tell. Outside
    those of reports, and without the mark `reports`, a run writes no page and no workbook unless it is asked to.
    """
    from etl import view
    from etl.journal import sqlite_file

    looks_at_reports = item.path.parent.name == "reports" or item.get_closest_marker("reports")
    view.DEFAULT = ALL_REPORTS if looks_at_reports else ("csv",)
    sqlite_file.SYNCHRONOUS = "FULL" if item.path.parent.name == "journal" else "OFF"
