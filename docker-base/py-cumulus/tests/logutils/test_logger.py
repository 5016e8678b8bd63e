"""Log lines: where they go, and that they can be read back."""

import io
import json
import logging
import pickle
import queue
import re
import sys
from datetime import UTC, datetime
from logging.handlers import QueueHandler

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cumulus.logutils import get_logger, log_fields, log_warning, make_log_string
from cumulus.logutils.lines import LogLine
from cumulus.logutils.logger import _StdoutHandler


def parse(line):
    """Read a line back, as a log collector would."""
    pairs = re.findall(r'([\w.-]+)="((?:[^"\\]|\\.)*)"', line)
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
    fields = parse(make_log_string())
    assert (fields["data_pipeline_id"], fields["dataset_id"]) == ("p1", "d1")


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
@example("=", "")
def test_any_value_is_one_line_and_reads_back(message, granule_id):
    line = make_log_string(message=message, granule_id=granule_id)
    assert len(line.splitlines()) == 1
    line.encode()  # what no encoding can hold is escaped
    fields = parse(line)
    assert (fields["message"], fields["granule_id"]) == (message, granule_id)


# --- levels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "is_error", "level", "error"),
    [
        ("info", 0, "info", "0"),
        ("warning", 0, "warn", "0"),
        ("error", 0, "error", "1"),
        ("critical", 1, "fatal", "1"),
        ("info", 1, "error", "1"),  # how handlers after the documentation log a failure
    ],
)
def test_level_tells_warnings_and_failures_apart(capsys, method, is_error, level, error):
    getattr(get_logger(), method)(make_log_string(message="x", is_error=is_error))
    fields = parse(capsys.readouterr().out)
    assert (fields["level"], fields["is_error"], fields["message"]) == (level, error, "x")


def test_warning_of_the_library_has_its_level_and_the_granule(capsys):
    get_logger()
    with log_fields(granule_id="A1"):
        log_warning("odd")
    fields = parse(capsys.readouterr().out)
    assert (fields["level"], fields["granule_id"], fields["is_error"]) == ("warn", "A1", "0")


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text())
def test_line_that_lost_its_fields_gets_them_back(message, granule_id):
    line = make_log_string(message=message, granule_id=granule_id)
    assert LogLine.parse(str(line)).fields == line.fields
    assert LogLine.parse(f"{line} and more") is None


@pytest.mark.parametrize("chosen", ["key-value", "json"])
def test_record_of_a_worker_looks_as_if_it_were_written_here(capsys, monkeypatch, chosen):
    """As a QueueHandler passes records on: prepared, pickled, and handled elsewhere."""
    monkeypatch.setenv("LOG_FORMAT", chosen)
    line = make_log_string(message='a "b"\n', granule_id="A1")
    (handler,) = [
        handler for handler in get_logger().handlers if isinstance(handler, _StdoutHandler)
    ]
    sent = queue.SimpleQueue()
    record = logging.LogRecord("x", logging.WARNING, "", 0, line, None, None)
    QueueHandler(sent).handle(record)
    handler.handle(record)
    handler.handle(logging.makeLogRecord(pickle.loads(pickle.dumps(sent.get().__dict__))))
    here, there = capsys.readouterr().out.splitlines()
    assert here == there
    assert "warn" in here


def test_line_survives_pickling():
    line = make_log_string(message="x")
    assert pickle.loads(pickle.dumps(line)).fields == line.fields


def test_fields_end_with_their_block():
    with log_fields(granule_id="A1"):
        pass
    assert "granule_id" not in parse(make_log_string())


def test_warning_of_another_library_becomes_a_line_of_pairs(capsys):
    get_logger()
    logging.getLogger("other").warning("text of %s", "two\nlines")
    fields = parse(capsys.readouterr().out)
    assert (fields["message"], fields["level"]) == ("text of two\nlines", "warn")


def test_exception_is_one_line(capsys):
    try:
        raise ValueError("why")
    except ValueError:
        get_logger().exception("it failed")
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    fields = parse(out)
    assert (fields["message"], fields["level"], fields["is_error"]) == ("it failed", "error", "1")
    assert fields["exception"].endswith("ValueError: why")


def test_text_that_the_terminal_cannot_show_is_escaped(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    # Past the root logger: pytest would pass the text on, which it cannot.
    (handler,) = [
        handler for handler in get_logger().handlers if isinstance(handler, _StdoutHandler)
    ]
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "gr\u00fcn \udcff", None, None))
    assert stream.buffer.getvalue() == b"gr\\xfcn \\udcff\n"


class _Gone(io.StringIO):
    def write(self, _text):
        raise BrokenPipeError(32, "Broken pipe")


def test_reader_that_went_away_is_said_once_and_stops_nothing(monkeypatch, capsys):
    monkeypatch.setenv("MY_SECRET", "hunter22")
    monkeypatch.setattr(sys, "stdout", _Gone())
    for _ in range(3):
        get_logger().info("with hunter22")
    assert capsys.readouterr().err == "cannot write log lines: [Errno 32] Broken pipe\n"


def test_line_that_cannot_be_made_does_not_show_its_parts(monkeypatch, capsys):
    monkeypatch.setenv("MY_SECRET", "hunter22")
    (handler,) = [
        handler for handler in get_logger().handlers if isinstance(handler, _StdoutHandler)
    ]
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "%d", ("hunter22",), None))
    captured = capsys.readouterr()
    assert "cannot write log lines" in captured.err
    assert "hunter22" not in captured.out + captured.err


# --- LOG_FORMAT=json -------------------------------------------------------------------------


@pytest.fixture
def json_lines(monkeypatch, capsys):
    monkeypatch.setenv("LOG_FORMAT", "json")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json_has_the_keys_of_cumulus(json_lines, monkeypatch):
    for name, value in {
        "CUMULUS_EXECUTION": "arn:e", "CUMULUS_PARENT_ARN": "arn:p", "CUMULUS_STACK": "stack",
        "CUMULUS_SENDER": "hs3cpl", "IMAGE_REVISION": "0a1b",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    get_logger().info(make_log_string(granule_id="A1", process="p", message="grün\n"))
    (line,) = json_lines()
    moment = datetime.fromisoformat(line.pop("timestamp"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5
    assert line == {
        "executions": "arn:e", "granules": '["A1"]', "level": "info", "message": "grün\n",
        "parentArn": "arn:p", "sender": "hs3cpl", "stackName": "stack", "version": "0a1b",
        "is_error": "0", "process": "p",
    }  # fmt: skip


def test_json_leaves_out_what_is_not_known(json_lines):
    get_logger().warning("plain text")
    (line,) = json_lines()
    assert set(line) == {"level", "message", "sender", "timestamp"}
    assert (line["level"], line["message"]) == ("warn", "plain text")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


def test_unknown_format_is_said_once_and_pairs_are_written(monkeypatch, capsys):
    monkeypatch.setenv("LOG_FORMAT", "xml")
    get_logger()
    get_logger().info(make_log_string(message="x"))
    first, second = capsys.readouterr().out.splitlines()
    assert "LOG_FORMAT='xml' is not known: expected key-value or json" in first
    assert parse(second)["message"] == "x"
