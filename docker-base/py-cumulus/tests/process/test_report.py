"""The report of a run, in OUTPUT_DIR/.cumulus."""

import hashlib
import json
from datetime import UTC, datetime
from unittest.mock import Mock

from cumulus.compare import compare
from cumulus.process.outcome import FAILED, PROCESSED, Outcome
from cumulus.process.report import Report


def test_each_granule_has_a_line_and_the_run_a_summary(repository):
    repository.granule("CPL_A")
    repository.granule("CPL_B", "fail:")
    repository.granule("CPL_TABLE")
    repository.run()
    first, second, third, summary = repository.reports()
    source, product = repository.input / "CPL_A.hdf5", repository.output / "CPL_A.nc"
    assert (first["granule"], first["status"], first["error"]) == ("CPL_A", "processed", None)
    assert first["inputs"] == [facts(source, role="primary")]
    assert first["products"][0] == facts(product, product="data")
    assert [product["product"] for product in first["products"]] == ["data", "metadata", "cmr"]
    assert first["seconds"] > 0
    assert 5 < first["peak_memory_mb"] < 2000
    assert (second["status"], second["products"]) == ("failed", [])
    assert second["inputs"] == [facts(repository.input / "CPL_B.hdf5", role="primary")]
    assert second["error"] == "_convert failed (exit status 3): cannot read '/Data/x'"
    assert third["warnings"] == ["left out '/Table': compound type"]
    numbers = ("granules", "processed", "skipped", "failed", "interrupted", "not_started")
    assert [summary["summary"][key] for key in numbers] == [3, 2, 0, 1, 0, 0]


def facts(path, **role):
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return {**role, "name": path.name, "size": len(content), "sha256": sha256}


def test_clock_that_is_set_during_a_run_does_not_change_how_long_it_took(tmp_path, monkeypatch):
    (tmp_path / ".cumulus").mkdir()
    with Report(tmp_path, 0) as report:
        earlier = datetime(2000, 1, 1, tzinfo=UTC)
        monkeypatch.setattr("cumulus.process.report.datetime", Mock(now=lambda zone: earlier))
        report.finish()
    summary = json.loads(report.path.read_text())["summary"]
    assert 0 <= summary["seconds"] < 60


def test_granule_whose_worker_died_has_its_inputs_in_the_report(repository):
    source = repository.granule("CPL_A")
    text = (repository.home / "process.py").read_text()
    text = text.replace("granule.convert()", "__import__('os').kill(__import__('os').getpid(), 9)")
    repository.write("process.py", text)
    repository.run()
    line = repository.reports()[0]
    assert line["status"] == "failed"
    assert line["inputs"] == [facts(source, role="primary")]


def test_metadata_that_lacks_an_extent_is_a_warning(repository):
    repository.granule("CPL_A", "no NetCDF at all")
    repository.run()
    assert any("no temporal extent" in line for line in repository.reports()[0]["warnings"])


def test_warning_is_reported_as_it_was_written(repository):
    """Line ends, tabs and characters that a log line escapes are themselves again."""
    message = 'a "quoted"\tword\n\x07 and C:\\new'
    text = (repository.home / "process.py").read_text()
    call = f"get_logger().warning(make_log_string(message={message!r}))"
    text = text.replace("granule.convert()", f"granule.convert()\n    {call}")
    imports = "from cumulus.logutils import get_logger, make_log_string\n"
    text = text.replace("from cumulus.process", f"{imports}from cumulus.process")
    repository.write("process.py", text)
    repository.granule("CPL_A")
    repository.run()
    assert message in repository.reports()[0]["warnings"]


def test_skipped_granule_keeps_its_facts(repository):
    repository.granule("CPL_A")
    repository.run()
    repository.run()
    lines = {line.get("status"): line for line in repository.reports()}
    for key in ("inputs", "products"):
        assert lines["skipped"][key] == lines["processed"][key] != []


def test_every_run_has_a_report_of_its_own(repository):
    repository.granule("CPL_A")
    for _ in range(3):
        repository.run()
    assert len(list(repository.output.glob(".cumulus/report-*.jsonl"))) == 3


def test_granule_that_cannot_start_is_in_the_report(repository):
    repository.granule("CPL_A")
    (repository.input / "CPL_lost.hdf5").symlink_to("nowhere")
    assert repository.run().returncode == 3
    bad = repository.reports()[0]
    assert bad["granule"] == "CPL_lost"
    assert bad["error"] == "cannot read 'CPL_lost.hdf5': No such file or directory"


def test_comparison_leaves_the_report_out(repository):
    repository.granule("CPL_A")
    repository.run()
    for name in repository.products():
        (repository.expected / name).write_bytes((repository.output / name).read_bytes())
    results = compare(repository.expected, repository.output)
    assert {result.file for result in results} == set(repository.products())


def test_lines_stand_in_order_whenever_the_outcomes_come(tmp_path):
    (tmp_path / ".cumulus").mkdir()
    with Report(tmp_path, 4) as report:
        for number in (2, 0, 3):
            report.add(number, f"G{number}", Outcome(PROCESSED))
        assert [json.loads(line)["granule"] for line in report.path.open()] == ["G0"]
        report.add(1, "G1", Outcome(FAILED, "why"))
        assert len(report.path.read_text().splitlines()) == 4
        report.finish()
    granules = [json.loads(line).get("granule") for line in report.path.open()]
    assert granules == ["G0", "G1", "G2", "G3", None]


def test_interrupted_run_reports_what_came_after_a_gap(tmp_path):
    (tmp_path / ".cumulus").mkdir()
    with Report(tmp_path, 4) as report:
        report.add(2, "G2", Outcome(PROCESSED))
        report.finish(signal="SIGTERM")
    first, summary = [json.loads(line) for line in report.path.open()]
    assert first["granule"] == "G2"
    assert summary["summary"]["not_started"] == 3
    assert summary["summary"]["signal"] == "SIGTERM"


def test_report_that_cannot_be_written_fails_no_granule(tmp_path, capsys):
    """/dev/full is a disk without space."""
    from cumulus.logutils import get_logger

    get_logger()
    (tmp_path / ".cumulus").mkdir()
    report = Report(tmp_path, 1)
    report._file = open("/dev/full", "w")  # noqa: SIM115 (the report closes it)
    report.add(0, "G0", Outcome(PROCESSED))
    report.finish()
    assert capsys.readouterr().out.count("is not complete") == 1
    assert report.counts[PROCESSED] == 1
