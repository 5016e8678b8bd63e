"""python -m cumulus: compare and test."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from samples import SOURCE, alive, wait_for

from cumulus import CumulusError, __version__
from cumulus.__main__ import main
from cumulus.commands.test import _run_handler
from cumulus.compliance.findings import Checked
from cumulus.image_sources import changed_since_run

pytestmark = pytest.mark.slow  # each test starts Python several times


def cumulus(*arguments, environment=None, **options):
    return subprocess.run(
        [sys.executable, "-m", "cumulus", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def run_test(repository):
    directories = repository.input, repository.output, repository.expected
    return cumulus("test", "--home", repository.home, *directories)


def expect(repository, *names):
    """Process once and take the products as the expected ones."""
    for name in names:
        repository.granule(name)
    assert repository.run().returncode == 0
    for path in repository.output.glob("*.*"):
        if not path.name.startswith("."):
            path.rename(repository.expected / path.name)


@pytest.mark.parametrize("changed", ["", "src/beams.py", "convert/new.c", "collection.toml"])
def test_image_that_is_older_than_its_sources_is_said(repository, changed):
    """The record in the image, as its Dockerfile writes it, and the files that compose shows."""
    expect(repository, "CPL_A")
    sources = repository.home / "sources"
    for name in ("src/beams.py", "convert/x.c", "collection.toml", "data/input/a.nc"):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text(name)
    lines = [
        f"{hashlib.sha256(name.encode()).hexdigest()}  /context/{name}\n"
        for name in ("src/beams.py", "convert/x.c", "collection.toml")
    ]
    (repository.home / ".sources.sha256").write_text("".join(lines))
    (sources / "src" / "__pycache__").mkdir()
    (sources / "src" / "__pycache__" / "beams.pyc").write_text("compiled")
    (sources / "src" / "other").symlink_to("beams.py")  # find -type f, in the Dockerfile, has none
    if changed:
        (sources / changed).write_text("edited")
    done = run_test(repository)
    assert done.returncode == 0
    message = f"the image is out of date: {changed} has changed since it was built; "
    message += "rebuild it: docker compose run build"
    assert (message in done.stderr) == bool(changed)
    assert ("out of date" in done.stderr) == bool(changed)


@pytest.mark.parametrize("changed", ["process.py", "src/beams.py"])
def test_run_records_its_sources(repository, changed):
    """What changes afterwards is named, a new file included."""
    repository.granule("CPL_A")
    assert repository.run().returncode == 0
    assert changed_since_run(repository.output, repository.home) == []
    path = repository.home / changed
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("# edited\n")
    assert changed_since_run(repository.output, repository.home) == [changed]


def test_version():
    assert cumulus("--version").stdout == f"py-cumulus {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["compare", "--help"], ["test", "--help"]])
def test_help(arguments):
    done = cumulus(*arguments)
    assert done.returncode == 0
    assert "usage: cumulus" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["compare", "a"]])
def test_bad_arguments_end_with_status_2(arguments):
    assert cumulus(*arguments).returncode == 2


# --- compare ---------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path):
    for name in ("expected", "actual"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("x")
    return tmp_path / "expected", tmp_path / "actual"


def test_equal_directories_are_status_0(pair):
    done = cumulus("compare", *pair)
    assert (done.returncode, done.stdout) == (0, "1 file compared: 1 equal\n")


def test_different_directories_are_status_1(pair):
    (pair[1] / "a").write_text("y")
    done = cumulus("compare", *pair)
    assert (done.returncode, done.stderr) == (1, "")
    assert "'a': different" in done.stdout


def test_nothing_to_compare_is_status_2_and_one_sentence(pair):
    (pair[0] / "a").unlink()
    done = cumulus("compare", *pair)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cumulus: nothing to compare: '{pair[0]}' holds no products\n"


def test_json_on_standard_output_is_only_json(pair):
    (pair[1] / "b").touch()
    done = cumulus("compare", *pair, "--json", "-")
    content = json.loads(done.stdout)
    assert (content["verdict"], content["equal"]) == ("different", False)
    assert [(file["file"], file["status"], file["reason"]) for file in content["files"]] == [
        ("a", "equal", ""),
        ("b", "extra", "not expected"),
    ]
    assert "1 equal, 1 extra" in done.stderr


def test_product_that_cannot_be_checked_does_not_hide_the_others(tmp_path, monkeypatch, capsys):
    """Nor does a pipe hold them up."""

    def check_all(products):
        for product in products:
            is_bad = product == "bad.nc"
            yield CumulusError("cannot check 'bad.nc'") if is_bad else Checked(product, "CF", False)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cumulus.compliance.checker.check_all", check_all)
    monkeypatch.setattr(
        "cumulus.compliance.reporting.report", lambda checked, home: f"checked {checked.product}"
    )
    os.mkfifo("pipe.nc")
    for name in ("bad.nc", "good.nc"):
        Path(name).write_text("x")
    assert main(["check", "pipe.nc", "absent.nc", "bad.nc", "good.nc"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "checked good.nc\n" and len(captured.err.splitlines()) == 3
    assert "cannot check 'pipe.nc': no regular file" in captured.err


def test_terminal_that_knows_only_ascii_is_no_failure(pair):
    """The letter is written as a number; status 1 is still the comparison's own."""
    for directory, text in zip(pair, ("µm", "nm"), strict=True):
        (directory / "a").write_text(text, encoding="utf-8")
    done = cumulus("compare", *pair, environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (1, "")
    assert r"expected '\xb5m', actual 'nm'" in done.stdout


def test_crash_is_status_2_and_one_sentence(pair, monkeypatch, capsys):
    """Status 1 would say that the products differ."""

    def fail(_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("cumulus.compare.summary.report", fail)
    assert main(["compare", *map(str, pair)]) == 2
    assert capsys.readouterr().err == "cumulus: failed: ZeroDivisionError: by zero\n"


def test_json_goes_to_a_file(pair, tmp_path):
    cumulus("compare", *pair, "--json", tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text())["equal"] is True


def test_json_that_cannot_be_written_is_one_sentence(pair):
    done = cumulus("compare", *pair, "--json", "/no/such/place.json")
    assert done.returncode == 2
    assert done.stderr == "cumulus: cannot write '/no/such/place.json': No such file or directory\n"


def test_rules_come_from_collection_toml(pair, repository):
    for directory, text in zip(pair, "xy", strict=True):
        (directory / "a").write_text(f"<G><T>{text}</T></G>")
    assert cumulus("compare", *pair).returncode == 1
    rules = repository.home / "collection.toml"
    rules.write_text(rules.read_text() + '[compare]\nignore_xpaths = ["T"]\n')
    assert cumulus("compare", *pair, "--rules", rules).returncode == 0


def test_reader_that_goes_away_is_no_traceback(pair):
    for number in range(3000):
        (pair[0] / f"missing-{number}").touch()
    command = [sys.executable, "-m", "cumulus", "compare", *pair]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as child:
        child.stdout.readline()
        child.stdout.close()
        assert "Traceback" not in child.stderr.read()


def test_closed_standard_output_does_not_change_the_status(pair):
    command = ["sh", "-c", '"$0" -m cumulus compare "$1" "$2" >&-', sys.executable, *pair]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_undecodable_name_is_reported(pair):
    (pair[0] / os.fsdecode(b"\xff")).touch()
    done = cumulus("compare", *pair, "--json", "-")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["files"]) == 2


def test_rules_need_no_collection(pair, tmp_path):
    """A file with nothing but [compare] is enough."""
    for folder, value in zip(pair, ("1.5", "1.6"), strict=True):
        (folder / "t.csv").write_text(f"a,b\n1,2\n{value},3\n")
    rules = tmp_path / "rules.toml"
    rules.write_text("[compare.variables.a]\natol = 0.2\n")
    assert cumulus("compare", *pair).returncode == 1
    assert cumulus("compare", *pair, "--rules", rules).returncode == 0


# --- test ------------------------------------------------------------------------------------


def test_handler_and_comparison_agree(repository):
    expect(repository, "CPL_A", "CPL_B")
    done = run_test(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n6 files compared: 6 equal\nCF: " in done.stdout


def test_changed_product_is_status_1(repository):
    expect(repository, "CPL_A")
    repository.granule("CPL_A", latitude=(20, 22))
    done = run_test(repository)
    assert done.returncode == 1
    assert "'CPL_A.nc': different" in done.stdout
    assert "NorthBoundingCoordinate: expected '21.0', actual '22.0'" in done.stdout


def test_status_of_the_handler_comes_first(repository):
    expect(repository, "CPL_A", "CPL_B")
    repository.granule("CPL_B", "fail:")
    done = run_test(repository)
    assert done.returncode == 3
    assert "files compared" not in done.stdout


def test_empty_input_names_the_program_that_fetches_some(repository):
    """As in a fresh clone; the handler itself knows nothing of samples."""
    done = run_test(repository)
    assert done.returncode == 2 and "holds no files" in done.stdout
    assert "bin/fetch-data brings the sample's input" in done.stderr
    repository.granule("CPL_B", "fail:")
    assert "fetch-data" not in run_test(repository).stderr


def test_nothing_expected_is_the_status_of_the_handler(repository):
    repository.granule()
    (repository.expected / ".gitkeep").touch()
    done = run_test(repository)
    assert done.returncode == 0
    assert "NOTHING COMPARED: no expected products" in done.stdout
    assert "when they are right: bin/accept-products\n" in done.stdout


def test_expected_directory_may_be_absent(repository):
    repository.granule()
    repository.expected.rmdir()
    assert run_test(repository).returncode == 0


def test_stale_product_never_passes(repository):
    """The input of an expected product is gone, its product of an earlier run is still there."""
    expect(repository, "CPL_A", "CPL_B")
    assert run_test(repository).returncode == 0
    (repository.input / "CPL_B.hdf5").unlink()
    done = run_test(repository)
    assert done.returncode == 1
    assert "'CPL_B.nc': missing" in done.stdout


def test_comparison_after_a_test_agrees_with_it(repository):
    """Products that the run did not write are missing; written anew by whatever, they are not."""
    expect(repository, "CPL_A", "CPL_B")
    assert run_test(repository).returncode == 0
    assert cumulus("compare", repository.expected, repository.output).returncode == 0
    (repository.input / "CPL_B.hdf5").unlink()
    assert run_test(repository).returncode == 1
    done = cumulus("compare", repository.expected, repository.output)
    assert done.returncode == 1
    assert "'CPL_B.nc': missing" in done.stdout and "left from an earlier" in done.stdout
    repository.granule("CPL_B")
    assert repository.run("--force", repository.input, repository.output).returncode == 0
    assert cumulus("compare", repository.expected, repository.output).returncode == 0


def test_products_before_a_failed_start_are_not_of_this_run(repository):
    """A handler that cannot even start leaves those of the run before."""
    expect(repository, "CPL_A")
    assert run_test(repository).returncode == 0
    (repository.home / "process.py").write_text("(")
    assert run_test(repository).returncode == 1
    done = cumulus("compare", repository.expected, repository.output)
    assert (done.returncode, done.stdout.count(": missing")) == (1, 3)


def test_product_left_from_an_earlier_run_is_extra(repository):
    """As the comparison of the two directories alone would say, but with the reason."""
    expect(repository, "CPL_A")
    (repository.output / "CPL_OLD.nc").write_text("old")
    done = run_test(repository)
    assert done.returncode == 1
    assert "left from an earlier run" in done.stdout


def test_broken_converter_never_passes(repository):
    expect(repository, "CPL_A")
    assert run_test(repository).returncode == 0
    repository.write("_convert", "#!/bin/sh\nexit 3\n", executable=True)
    assert run_test(repository).returncode == 2


def test_extra_product_is_status_1(repository):
    expect(repository, "CPL_A")
    repository.granule("CPL_B")
    assert run_test(repository).returncode == 1


def test_absent_handler_is_one_sentence(tmp_path):
    done = cumulus("test", "--home", tmp_path, "a", "b", "c")
    assert done.returncode == 2
    assert "give its directory with --home" in done.stderr


def test_absent_output_is_the_handlers_sentence(repository):
    repository.granule()
    repository.output.rmdir()
    done = run_test(repository)
    assert done.returncode == 2
    assert "create it first" in done.stdout


def test_home_is_the_current_directory(repository):
    expect(repository, "CPL_A")
    directories = repository.input, repository.output, repository.expected
    assert cumulus("test", *directories, cwd=repository.home).returncode == 0


def start_test(repository):
    argv = [sys.executable, "-m", "cumulus", "test", "--home", repository.home]
    argv += [repository.input, repository.output, repository.expected]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE)


def test_stop_is_handed_on(repository):
    """The handler finishes as it does without the command, and leaves no scratch."""
    repository.granule("CPL_A", "hang:")
    child = start_test(repository)
    wait_for(repository.converters)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert child.returncode == 143
    assert repository.scratch() == []


def test_killed_command_leaves_neither_handler_nor_converter(repository):
    """The kernel ends the handler with it, and the converter with the handler."""
    repository.granule("CPL_A", "hang:")
    pid = repository.home / "pid"
    handler = (repository.home / "process.py").read_text()
    line = f"import os; open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
    repository.write("process.py", handler.replace("HOME =", line + "HOME =", 1))
    child = start_test(repository)
    converters = wait_for(repository.converters)
    child.kill()
    child.communicate(timeout=30)
    for process in (int(pid.read_text()), *converters):
        wait_for(lambda process=process: not alive(process))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_the_handler_starts_reaches_it(tmp_path, monkeypatch, number):
    """It comes after the fork, and before Popen has returned the child."""
    popen = subprocess.Popen

    def start_and_stop(*arguments, **options):
        child = popen(*arguments, **options)
        os.kill(os.getpid(), number)
        return child

    monkeypatch.setattr("cumulus.commands.test.subprocess.Popen", start_and_stop)
    assert _run_handler(["sleep", "60"]) == 128 + number


def test_green_run_says_how_to_check_its_products(repository):
    """The last line is about CF and follows no link, also where products differ."""
    repository.granule()
    (repository.output / "link.nc").symlink_to(repository.input / "CPL_A.hdf5")
    done = run_test(repository)
    assert re.match("CF: .*: cumulus check .*CPL_A.nc", done.stdout.splitlines()[-1])
    assert "link.nc" not in done.stdout.splitlines()[-1]
    (repository.expected / "CPL_A.nc").write_text("other")
    done = run_test(repository)
    assert done.returncode == 1 and done.stdout.splitlines()[-1].startswith("CF: ")


def test_test_is_red_and_keeps_the_product_of_a_granule_that_lacks_its_time(repository):
    """The last line but one of the log names the product; accepted products stay."""
    expect(repository, "CPL_A")
    repository.write(
        "collection.toml",
        (repository.home / "collection.toml").read_text()
        + '\n[metadata]\ntime = ["filename"]\nrequired = ["time"]\n',
    )
    done = run_test(repository)
    assert done.returncode == 2
    log = done.stdout + done.stderr
    kept = repository.output / ".cumulus" / "failed" / "CPL_A.nc"
    assert kept.is_file()
    assert "the record lacks the time" in log
    assert "CPL_A.nc" in log.partition("kept for looking at: ")[2]
    assert "not compared" in log
