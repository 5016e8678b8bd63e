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
    """Each is written as it comes, so that no kill loses it; the end of the run sorts them."""
    (tmp_path / ".cumulus").mkdir()
    with Report(tmp_path, 4) as report:
        for number, status in ((2, PROCESSED), (0, PROCESSED), (3, PROCESSED), (1, FAILED)):
            report.add(number, f"G{number}", Outcome(status))
            lines = [json.loads(line)["granule"] for line in report.path.open()]
            assert lines[-1] == f"G{number}"
        report.finish()
    lines = [json.loads(line) for line in report.path.open()]
    assert [line.get("granule") for line in lines] == ["G0", "G1", "G2", "G3", None]
    assert [line["status"] for line in lines[:-1]] == [PROCESSED, FAILED, PROCESSED, PROCESSED]
    assert lines[-1]["summary"]["processed"] == 3
    assert [path.name for path in (tmp_path / ".cumulus").iterdir()] == [report.path.name]


def test_report_that_cannot_be_sorted_is_complete(tmp_path, monkeypatch, caplog):
    """The disk is full as soon as the summary is written."""
    (tmp_path / ".cumulus").mkdir()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cumulus.process.report.shutil.copyfileobj", fail)
    with Report(tmp_path, 2) as report:
        report.add(1, "G1", Outcome(PROCESSED))
        report.add(0, "G0", Outcome(PROCESSED))
        report.finish()
    lines = [json.loads(line) for line in report.path.open()]
    assert [line.get("granule") for line in lines] == ["G1", "G0", None]
    assert "is in the order in which granules ended: [Errno 28] No space left" in caplog.text
    assert [path.name for path in (tmp_path / ".cumulus").iterdir()] == [report.path.name]


def test_oldest_reports_are_removed(tmp_path):
    """Five are kept, with that of the present run; what a killed run left half sorted goes, too."""
    state = tmp_path / ".cumulus"
    state.mkdir()
    old = [f"report-20261201T1200{number:02}Z-{99 - number:08x}.jsonl" for number in range(7)]
    others = ["report-of-mine.jsonl", "left-over.json"]
    for name in (*old, *others, "report-20261201T120007Z-00000000.new"):
        (state / name).write_text("{}\n")
    with Report(tmp_path, 0) as report:
        report.finish()
    kept = {path.name for path in state.iterdir()}
    assert kept == {*old[3:], *others, report.path.name}


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
    report._file = open("/dev/full", "wb")  # noqa: SIM115 (the report closes it)
    report.add(0, "G0", Outcome(PROCESSED))
    report.finish()
    assert capsys.readouterr().out.count("is not complete") == 1
    assert report.counts[PROCESSED] == 1
