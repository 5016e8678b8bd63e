"""Log lines: where they go, and that they can be read back."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulus.logutils import get_logger, make_log_string


def parse(line):
    """Read a line back, as a log collector would."""
    pairs = re.findall(r'(\S+)="((?:[^"\\]|\\.)*)"', line)
    plain = {"n": "\n", "r": "\r", "t": "\t"}
    escape = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)

    def unescape(match):
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else plain.get(match[3], match[3])

    return {key: escape.sub(unescape, value) for key, value in pairs}


def test_logger_writes_to_standard_output(capsys):
    get_logger().info("a line")
    assert capsys.readouterr() == ("a line\n", "")


def test_logger_asked_twice_writes_a_line_once(capsys):
    get_logger()
    get_logger().info("a line")
    assert capsys.readouterr().out == "a line\n"


def test_logger_leaves_debug_out(capsys):
    get_logger().debug("detail")
    assert capsys.readouterr().out == ""


def test_line_without_ids_has_no_ids():
    assert set(parse(make_log_string(message="x"))) == {"timestamp", "is_error", "message"}


def test_environment_is_read_at_the_call(monkeypatch):
    monkeypatch.setenv("PIPELINE_ID", "p1")
    monkeypatch.setenv("DATASET_ID", "d1")
    found = parse(make_log_string())
    assert (found["data_pipeline_id"], found["dataset_id"]) == ("p1", "d1")


def test_arguments_come_before_the_environment(monkeypatch):
    monkeypatch.setenv("PIPELINE_ID", "p1")
    assert parse(make_log_string("own"))["data_pipeline_id"] == "own"


def test_timestamp_is_now_in_utc_with_its_zone():
    moment = datetime.fromisoformat(parse(make_log_string())["timestamp"])
    assert moment.utcoffset().total_seconds() == 0
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5


@pytest.mark.parametrize(("given_", "text"), [(1, "1"), (True, "1"), (0, "0"), (False, "0")])
def test_is_error_is_0_or_1(given_, text):
    assert parse(make_log_string(is_error=given_))["is_error"] == text


def test_field_that_is_none_is_left_out():
    assert "granule_id" not in parse(make_log_string(granule_id=None))


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text())
def test_any_value_is_one_line_and_reads_back(message, granule_id):
    line = make_log_string(message=message, granule_id=granule_id)
    assert len(line.splitlines()) == 1
    line.encode()  # what no encoding can hold is escaped
    found = parse(line)
    assert (found["message"], found["granule_id"]) == (message, granule_id)
