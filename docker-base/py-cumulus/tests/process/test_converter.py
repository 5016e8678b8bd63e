"""The converter process that serves many granules, and what its failures take with them."""

import json
import os
import signal
from pathlib import Path

import pytest
from samples import alive, wait_for

from cumulus import CumulusError
from cumulus.collection import Limits
from cumulus.process.converter import Converter
from cumulus.process.programs import Announcer


@pytest.fixture
def converter(repository):
    """The stand-in converter; `pids()` are those that were started, with None when one has ended.

    A file takes them, because a new process announces itself.
    """
    announced = repository.home / "announced"

    def announce(pid):
        with announced.open("a") as file:
            print(json.dumps(pid), file=file)

    made = Converter(repository.home / "_convert", Limits(seconds=20), Announcer(announce))
    made.pids = lambda: [json.loads(line) for line in announced.read_text().splitlines()]
    yield made
    made.end()


@pytest.fixture
def convert(converter, repository, tmp_path):
    def convert(text):
        source = repository.granule("CPL_X", text)
        return converter.convert(source, tmp_path / "x.nc")

    return convert


def test_one_process_serves_many_granules(converter, convert):
    for number in range(5):
        assert convert(f"granule {number}")["status"] == 0
    assert len(converter.pids()) == 1


def test_values_go_to_a_converter_that_asks_for_some_and_to_no_other(
    converter, repository, tmp_path
):
    """One that knows nothing of values would take them for names; empty ones are none."""

    def send(name, **values):
        return converter.convert(repository.granule(name), tmp_path / "x.nc", values)

    given = {"year": "2012", "day": 6, "hour": None, "minute": ""}
    assert send("CPL_OLD", **given)["values"] == []
    assert send("CPL_NEEDS", **given)["values"] == ["year=2012", "day=6"]
    assert send("CPL_OLD", **given)["values"] == ["year=2012", "day=6"]
    assert send("CPL_OLD")["values"] == []
    with pytest.raises(CumulusError, match=r"failed \(exit status 2\): no year"):
        send("CPL_NEEDS", year="2013")
    assert len(converter.pids()) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a\0b", "the value of 'year' for the converter's table holds a null byte"),
        ("x" * 50_000, "have 50006 bytes, 49152 are allowed; the longest is that of 'year'"),
    ],
    ids=["null byte", "too long"],
)
def test_value_that_cannot_be_sent_fails_its_granule(
    converter, repository, tmp_path, value, words
):
    source = repository.granule("CPL_X", "good")
    with pytest.raises(CumulusError, match=words):
        converter.convert(source, tmp_path / "x.nc", {"year": value})
    assert converter.convert(source, tmp_path / "x.nc")["status"] == 0


def test_failure_that_it_reports_leaves_it_running(converter, convert):
    with pytest.raises(CumulusError, match=r"failed \(exit status 3\): cannot read '/Data/x'"):
        convert("fail:")
    convert("good")
    assert len(converter.pids()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit:4", r"_convert failed \(exit status 4\): something is wrong"),
        ("exit:0", r"_convert failed \(exit status 0\)"),
        ("die:9", r"_convert failed \(killed by SIGKILL \(possibly out of memory\)\)"),
        ("die:11", r"_convert failed \(killed by SIGSEGV\)"),
        ("die:25", r"killed by SIGXFSZ, \[limits\].output_mb of collection.toml allows 20000 MB"),
        ("say:garbage", "gave an answer that is no report: b'garbage"),
        ("say:", "gave an answer that is no report"),
        ("say:[]", "gave an answer that is no report"),
        ('say:{"status": "0"}', "gave an answer that is no report"),
        ('say:{"status": true}', "gave an answer that is no report"),
        ('say:{"status": 0, "output": "/another"}', "gave an answer that is no report"),
        ("trail:", "gave an answer that is no report: b'{"),
        ("babble:", "gave an answer that is no report"),
    ],
)
def test_failure_that_it_does_not_report_takes_one_granule(converter, convert, text, message):
    """A new converter serves the granules after it."""
    with pytest.raises(CumulusError, match=message):
        convert(text)
    assert convert("good")["status"] == 0
    assert [pid is None for pid in converter.pids()] == [False, True, False]


def test_hanging_converter_is_stopped_and_replaced(converter, convert, repository):
    converter._limits = Limits(seconds=0.5)
    with pytest.raises(CumulusError, match=r"stopped after 0.5 s \(\[limits\].seconds"):
        convert("hang:")
    converter._limits = Limits(seconds=20)
    convert("good")
    assert not alive(converter.pids()[0])


def test_forks_of_a_dead_converter_are_killed(convert, repository):
    pid = repository.home / "pid"
    with pytest.raises(CumulusError, match="SIGSEGV"):
        convert(f"fork:{pid}")
    wait_for(lambda: not alive(int(pid.read_text())))


def test_converter_that_dies_between_granules_takes_none(converter, convert):
    convert("good")
    os.kill(converter.pids()[0], signal.SIGKILL)
    wait_for(lambda: not alive(converter.pids()[0]))
    assert convert("good")["status"] == 0


def test_memory_is_limited(repository, tmp_path):
    """A converter that wants 4 GB gets 1 GB, and the message names the limit."""
    converter = Converter(repository.home / "_convert", Limits(memory_mb=1000))
    with pytest.raises(CumulusError, match=r"Cannot allocate memory \(\[limits\].memory_mb"):
        converter.convert(repository.granule("CPL_X", "eat:"), tmp_path / "x.nc")
    converter.end()


def test_size_of_files_is_limited(repository, tmp_path):
    converter = Converter(repository.home / "_convert", Limits(output_mb=5))
    with pytest.raises(CumulusError, match=r"File too large \(\[limits\].output_mb in collection"):
        converter.convert(repository.granule("CPL_X", "large:"), tmp_path / "x.nc")
    assert (tmp_path / "x.nc").stat().st_size == 5 * 10**6
    converter.end()


def test_limits_hold_for_further_programs(repository):
    """granule.run has the limits of collection.toml, too."""
    repository.configure("seconds = 60", "seconds = 60\noutput_mb = 1")
    repository.granule(text="x")
    text = (repository.home / "process.py").read_text()
    run = 'granule.run("dd", "if=/dev/zero", "of=big", "bs=1M", "count=3")'
    repository.write("process.py", text.replace("granule.convert()", run))
    message = "dd failed (killed by SIGXFSZ, [limits].output_mb of collection.toml allows 1 MB)"
    assert message in repository.run().stdout


def test_converter_leaves_no_core_dump(repository, converter, convert):
    convert("good")
    limits = Path(f"/proc/{converter.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "0"]


def test_what_was_left_out_is_a_warning(repository):
    repository.granule("CPL_TABLE")
    done = repository.run()
    assert done.returncode == 0
    assert "left out '/Table': compound type" in done.stdout


def test_what_the_table_asked_for_is_no_warning(repository):
    repository.granule("CPL_A")
    assert "Scratch" not in repository.run().stdout


def test_row_that_matches_nothing_in_any_granule_is_named_once(repository):
    """What only some granules have is no mistake, nor is it known after a run that skips some."""
    repository.granule("CPL_ROWS_A")
    repository.granule("CPL_ROWS_B")
    output = repository.run().stdout
    assert output.count("/Lattitude") == 1 and "/of_" not in output
    assert "'/Lattitude': a row matches nothing here, nor in any other granule" in output
    repository.granule("CPL_ROWS_C")
    assert "/Lattitude" not in repository.run().stdout


def test_table_of_another_collection_is_one_line(repository):
    """The starter sample's rows, on the owner's first granule, do not drown what else is said."""
    repository.granule("CPL_ROWS_MANY")
    output = repository.run().stdout
    assert output.count("match nothing") == 1 and "/starter_" not in output
    assert "7 paths in the converter's tables match nothing in any granule: still the" in output
    assert "./_convert --list " in output and "CPL_ROWS_MANY.hdf5" in output


BAD = {
    "CPL_B": "exit:4",
    "CPL_C": "die:11",
    "CPL_D": "say:garbage",
    "CPL_E": "babble:",
    "CPL_F": "eat:",
    "CPL_G": "large:",
    "CPL_H": "",
    "CPL_I": "hang:",
}


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "3"])
def test_bad_conversions_among_good_ones_fail_alone(repository, monkeypatch, workers):
    monkeypatch.setenv("PROCESS_WORKERS", workers)
    repository.configure("seconds = 60", "seconds = 2\nmemory_mb = 1000\noutput_mb = 10")
    for name, text in BAD.items():
        repository.granule(name, text)
        repository.granule(name + "_good")
    done = repository.run()
    assert done.returncode == 3
    good = [name for name in repository.products() if name.endswith(".nc")]
    assert good == sorted(f"{name}_good.nc" for name in BAD)
    assert f"{len(BAD)} of {2 * len(BAD)} granules processed" in done.stdout
