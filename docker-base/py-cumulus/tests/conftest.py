"""Fixtures: a generated repository in small, and an environment without traces of other tests."""

import logging
import os
import signal

import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from samples import REPOSITORY, Repository

from cumulus.logutils import lines

# What Hypothesis keeps stays where Git ignores it.
set_hypothesis_home_dir(REPOSITORY / ".hypothesis")


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "repository").mkdir()
    return Repository(tmp_path / "repository")


@pytest.fixture(autouse=True)
def fresh_logging():
    """Take away the handlers that a test's get_logger() added."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in list(root.handlers):
        if isinstance(handler.formatter, lines.LineFormatter):
            root.removeHandler(handler)


@pytest.fixture(autouse=True)
def fresh_signal_handlers():
    """Take back the handlers that main() installs: they would raise Interrupted in other tests."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in (
        *("SHORT_NAME", "VERSION", "PROVIDER", "PIPELINE_ID", "DATASET_ID", "IMAGE_REVISION"),
        *(name for name in os.environ if name.startswith(("LOG_", "SPLUNK_", "CUMULUS_LOG"))),
    ):
        monkeypatch.delenv(name, raising=False)
