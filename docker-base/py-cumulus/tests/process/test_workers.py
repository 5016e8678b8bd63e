"""Worker processes: granules beside each other, and what the end of a worker means."""

import ctypes
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from samples import alive, wait_for

from cumulus import CumulusError
from cumulus.collection import Limits
from cumulus.isolation import call_apart
from cumulus.logutils import get_logger
from cumulus.process import Summary, process_granules
from cumulus.process.programs import Announcer, run_program


def process(repository, function, **options):
    return process_granules(
        function, repository.input, repository.output, home=repository.home, **options
    )


def make_all(granule):
    for path in granule.products.values():
        path.write_text(granule.id)


def granules(repository, *names):
    for name in names:
        repository.granule(name, text=name)


def crash():
    """End this process as a bug in a C library does."""
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)  # pytest's faulthandler would write a page
    ctypes.string_at(0)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (crash, "its worker was killed by SIGSEGV in step 'check' or after it"),
        (os.abort, "its worker was killed by SIGABRT in step 'check' or after it"),
        (lambda: os._exit(7), "its worker ended early in step 'check' or after it (exit status 7)"),
    ],
    ids=["segmentation fault", "abort", "exit"],
)
def test_crash_in_a_step_is_that_granules_failure(repository, end, message):
    """A C library that crashes in check or metadata must not end the handler."""
    granules(repository, "CPL_A", "CPL_B", "CPL_C")

    def make(granule):
        make_all(granule)
        if granule.id == "CPL_B":
            signal.signal(signal.SIGABRT, signal.SIG_DFL)
            granule._support.announce("check")
            end()

    summary = process(repository, make)
    assert summary.failed == {"CPL_B": message}
    assert summary.processed == ["CPL_A", "CPL_C"]
    assert not any("CPL_B" in name for name in repository.products())
    assert repository.scratch() == []


@pytest.mark.parametrize("end", [crash, os.abort], ids=["segmentation fault", "abort"])
def test_crash_that_an_earlier_granule_caused_costs_its_neighbour_nothing(
    repository, monkeypatch, capsys, end
):
    """Memory that one granule damages may end the worker at the next: a new worker makes that."""
    monkeypatch.setenv("PROCESS_WORKERS", "1")
    granules(repository, "CPL_A", "CPL_B", "CPL_C")
    damaged = []  # is the memory of a worker

    def make(granule):
        make_all(granule)
        if damaged:
            signal.signal(signal.SIGABRT, signal.SIG_DFL)
            end()
        if granule.id == "CPL_A":
            damaged.append(True)

    summary = process(repository, make)
    assert (summary.processed, summary.failed) == (["CPL_A", "CPL_B", "CPL_C"], {})
    (line,) = (text for text in capsys.readouterr().out.splitlines() if "makes it again" in text)
    assert "its worker was killed by SIG" in line and 'granule_id="CPL_B"' in line
    assert 'level="warn"' in line
    assert repository.scratch() == []


def test_granule_that_crashes_a_new_worker_fails(repository, monkeypatch):
    """It is made twice where its worker had made others before, and never more often."""
    monkeypatch.setenv("PROCESS_WORKERS", "1")
    granules(repository, "CPL_A", "CPL_B", "CPL_C")
    tries = repository.home / "tries"

    def make(granule):
        make_all(granule)
        with open(tries, "a") as file:
            print(granule.id, file=file)
        if granule.id == "CPL_B":
            crash()

    summary = process(repository, make)
    assert list(summary.failed) == ["CPL_B"] and summary.processed == ["CPL_A", "CPL_C"]
    assert tries.read_text().split() == ["CPL_A", "CPL_B", "CPL_B", "CPL_C"]


class Mute(Exception):
    """An exception that cannot say anything."""

    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SystemExit("no login with password=hunter22"), "SystemExit: no login with password=***"),
        (SystemExit(0), "SystemExit: 0"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (Mute(), "Mute: its message cannot be read (ValueError)"),
        (ValueError("x" * 10**7), f"ValueError: {'x' * 3988}... (10000012 characters)"),
    ],
    ids=["exit", "exit 0", "interrupt", "mute", "long"],
)
def test_whatever_a_handler_raises_is_that_granules_failure(repository, capfd, error, message):
    """Its worker goes on, and no secret and no endless line gets out."""
    granules(repository, "CPL_A", "CPL_B")

    def make(granule):
        if granule.id == "CPL_A":
            raise error
        make_all(granule)

    summary = process(repository, make)
    (line, *_) = [json.loads(text) for text in summary.report.read_text().splitlines()]
    assert line["error"] == message
    assert summary.processed == ["CPL_B"]
    out, err = capfd.readouterr()
    assert "hunter22" not in out + err
    assert len(out + err) < 50_000


def test_file_beyond_the_limit_names_it(repository):
    repository.configure("seconds = 60", "output_mb = 0.001")
    repository.granule("CPL_A", "x" * 5000)
    message = process(repository, lambda granule: granule.copy()).failed["CPL_A"]
    assert "File too large" in message
    assert message.endswith(" ([limits].output_mb in collection.toml is 0.001)")


def test_what_a_handler_does_to_its_dictionaries_misleads_nobody(repository):
    """Only declared products are delivered, and the inputs are the files that were found."""
    granules(repository, "CPL_A")

    def make(granule):
        make_all(granule)
        granule.products["log"] = granule.products["data"].with_name("undeclared.txt")
        granule.products["log"].write_text("x")
        granule.inputs["primary"] = granule.products["data"]

    summary = process(repository, make)
    assert summary.failed == {}
    assert "undeclared.txt" not in os.listdir(repository.output)
    (line, _) = [json.loads(text) for text in summary.report.read_text().splitlines()]
    assert [facts["name"] for facts in line["inputs"]] == ["CPL_A.hdf5"]


@pytest.mark.slow
def test_step_that_hangs_in_python_is_stopped(repository):
    repository.configure("seconds = 60", "seconds = 0.1")
    granules(repository, "CPL_A", "CPL_B")

    def make(granule):
        make_all(granule)
        if granule.id == "CPL_A":
            granule._support.announce("check")
            time.sleep(1000)

    summary = process(repository, make)
    message = "step 'check' and what follows it was stopped after 0.1 s ([limits].seconds"
    assert summary.failed["CPL_A"].startswith(message)
    assert summary.processed == ["CPL_B"]


def test_granules_are_made_beside_each_other(repository, monkeypatch):
    """Each of two granules waits until the other has begun."""
    monkeypatch.setenv("PROCESS_WORKERS", "2")
    granules(repository, "CPL_A", "CPL_B")
    meeting = repository.home / "meeting"
    meeting.mkdir()

    def make(granule):
        (meeting / granule.id).touch()
        wait_for(lambda: len(os.listdir(meeting)) == 2)
        make_all(granule)

    assert process(repository, make).failed == {}


def test_one_worker_makes_one_granule_after_the_other(repository, monkeypatch):
    monkeypatch.setenv("PROCESS_WORKERS", "1")
    granules(repository, "CPL_A", "CPL_B")
    seen = repository.home / "seen"

    def make(granule):
        with open(seen, "a") as file:
            print(os.getpid(), file=file)
        make_all(granule)

    process(repository, make)
    first, second = seen.read_text().split()
    assert first == second != str(os.getpid())


def test_results_come_in_the_order_of_the_granules(repository, monkeypatch):
    """The first granule is finished last."""
    monkeypatch.setenv("PROCESS_WORKERS", "3")
    names = ["CPL_A", "CPL_B", "CPL_C", "CPL_D"]
    granules(repository, *names)
    others = [repository.output / f"{name}.nc" for name in names[1:]]

    def make(granule):
        if granule.id == "CPL_A":
            wait_for(lambda: all(path.exists() for path in others))
        make_all(granule)

    summary = process(repository, make)
    assert summary.processed == names
    lines = [json.loads(line) for line in summary.report.read_text().splitlines()]
    assert [line.get("granule") for line in lines] == [*names, None]


def test_slow_granule_holds_up_no_other(repository, monkeypatch):
    """The first of 1,200 ends when all others are delivered."""
    monkeypatch.setenv("PROCESS_WORKERS", "2")
    names = [f"CPL_{number:04}" for number in range(1200)]
    granules(repository, *names)
    last = repository.output / f"{names[-1]}.nc"

    def make(granule):
        if granule.id == names[0]:
            wait_for(last.exists, 60)
        make_all(granule)

    summary = process(repository, make)
    assert summary.processed == names
    lines = [json.loads(line) for line in summary.report.read_text().splitlines()]
    assert [line.get("granule") for line in lines] == [*names, None]


def test_workers_say_what_was_logged(repository, capsys):
    import logging

    granules(repository, "CPL_A")

    def make(granule):
        logging.getLogger("mine").warning("a warning of %s", granule.id)
        make_all(granule)

    process(repository, make)
    assert "a warning of CPL_A" in capsys.readouterr().out


class Unreadable:
    """What can be pickled, but not unpickled."""

    def __reduce__(self):
        return int, ("no number",)


def test_log_record_that_carries_odd_things_comes_out(repository, capsys):
    """Only what a line is made of is handed to the handler."""
    import logging

    granules(repository, "CPL_A")

    def make(granule):
        logging.getLogger("mine").warning("a warning", extra={"odd": Unreadable()})
        make_all(granule)

    assert process(repository, make).failed == {}
    assert "a warning" in capsys.readouterr().out


def test_worker_that_sends_what_cannot_be_read_is_lost(repository):
    """The others are made."""
    granules(repository, "CPL_A", "CPL_B")

    def make(granule):
        make_all(granule)
        if granule.id == "CPL_A":
            granule._support.announce(Unreadable())

    summary = process(repository, make)
    assert "its worker sent an unreadable message" in summary.failed["CPL_A"]
    assert summary.processed == ["CPL_B"]


def test_lines_of_several_threads_arrive_whole(repository, capsys):
    """Lines longer than a pipe takes at once."""
    import logging
    from concurrent.futures import ThreadPoolExecutor

    granules(repository, "CPL_A")

    def make(granule):
        make_all(granule)
        with ThreadPoolExecutor(8) as threads:
            for number in range(40):
                threads.submit(logging.getLogger("mine").info, f"{number}:{'x' * 100_000}:end")
            for _ in range(1000):
                granule._support.announce("beside them")

    assert process(repository, make).failed == {}
    assert capsys.readouterr().out.count(":end") == 40


def test_line_that_is_logged_in_a_worker_comes_out_once(repository):
    """Also where it calls get_logger(), as handlers do."""
    repository.granule("CPL_A")
    text = (repository.home / "process.py").read_text()
    text = text.replace("granule.convert()", "granule.convert()\n    get_logger().info('my line')")
    imports = "from cumulus.logutils import get_logger\n"
    text = text.replace("from cumulus.process", f"{imports}from cumulus.process")
    repository.write("process.py", text)
    done = repository.run_child()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("my line") == 1


def test_killed_worker_is_replaced(repository, monkeypatch):
    """kill -9 from outside takes one granule; the others are made."""
    monkeypatch.setenv("PROCESS_WORKERS", "1")
    granules(repository, *(f"CPL_{number}" for number in range(5)))

    def make(granule):
        make_all(granule)
        if granule.id == "CPL_2":
            os.kill(os.getpid(), signal.SIGKILL)

    summary = process(repository, make)
    assert len(summary.processed) == 4
    assert "killed by SIGKILL" in summary.failed["CPL_2"]


def test_nothing_outlives_a_killed_handler(repository, monkeypatch):
    """kill -9 of the handler: its workers and converters end with it."""
    monkeypatch.setenv("PROCESS_WORKERS", "2")
    repository.granule("CPL_A", "hang:")
    repository.granule("CPL_B", "hang:")
    handler = repository.start(repository.input, repository.output)
    pids = wait_for(lambda: len(pids := repository.converters()) == 2 and pids)
    stats = [Path(f"/proc/{pid}/stat").read_text() for pid in pids]
    workers = [int(text.rpartition(")")[2].split()[1]) for text in stats]  # their parents
    handler.kill()
    handler.communicate(timeout=30)
    for pid in (*pids, *workers):
        wait_for(lambda pid=pid: not alive(pid))


def test_handler_may_start_processes(repository, capsys):
    """As a comparison does, too; what they log comes out, and they can be terminated in silence."""
    granules(repository, "CPL_A")

    def child(number):
        logging.getLogger().warning("child %d", number)
        return number + 1

    def make(granule):
        make_all(granule)
        assert call_apart(child, 1) == 2
        forking = multiprocessing.get_context("fork")
        waiting = forking.Process(target=time.sleep, args=(1000,))
        waiting.start()
        waiting.terminate()
        waiting.join()
        assert waiting.exitcode == -signal.SIGTERM

    assert process(repository, make).failed == {}
    captured = capsys.readouterr()
    assert (captured.out.count("child 1"), captured.err) == (1, "")


@pytest.mark.parametrize("killed", ["worker", "handler"])
def test_processes_of_a_handler_end_with_their_worker(repository, killed):
    """kill -9 of the worker, and of the handler: also what a child forked in its turn ends."""
    repository.granule("CPL_A", "A")
    text = (repository.home / "process.py").read_text()
    fork = """
    import multiprocessing, os
    forking = multiprocessing.get_context("fork")
    def wait(name, more):
        if more:
            forking.Process(target=wait, args=("grandchild", False)).start()
        (HOME / name).write_text(str(os.getpid()))
        time.sleep(1000)
    forking.Process(target=wait, args=("child", True)).start()
    wait("worker", False)
"""
    repository.write("process.py", text.replace("    granule.convert()", fork))
    handler = repository.start(repository.input, repository.output)
    names = ("child", "grandchild", "worker")

    def pids():
        files = [repository.home / name for name in names]
        return all(path.exists() and path.read_text() for path in files) and [
            int(path.read_text()) for path in files
        ]

    started = wait_for(pids)
    if killed == "handler":
        handler.kill()
    else:
        os.kill(started[-1], signal.SIGKILL)
    handler.communicate(timeout=30)
    for pid in started:
        wait_for(lambda pid=pid: not alive(pid))


@pytest.mark.parametrize("end", ["limit", "kill"])
def test_program_that_a_handler_started_ends_with_its_worker(repository, monkeypatch, end):
    """It would hang on, one program a granule."""
    monkeypatch.setattr("cumulus.process.worker_handle.GRACE", 0.2)
    repository.configure("seconds = 60", "seconds = 1" if end == "limit" else "seconds = 60")
    granules(repository, "CPL_A")
    pid = repository.home / "pid"

    def make(granule):
        program = subprocess.Popen(["sleep", "1000"])
        pid.write_text(str(program.pid))
        if end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        program.wait()

    message = "was stopped after 1 s" if end == "limit" else "was killed by SIGKILL"
    assert message in process(repository, make).failed["CPL_A"]
    wait_for(lambda: not alive(int(pid.read_text())))


def test_what_a_program_started_ends_with_the_worker(repository):
    """Also where it leads a group of its own, and the worker is killed."""
    granules(repository, "CPL_A")
    pid = repository.home / "pid"

    def kill():
        wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))
        os.kill(os.getpid(), signal.SIGKILL)

    def make(granule):
        threading.Thread(target=kill).start()
        granule.run("sh", "-c", f"sleep 1000 & echo $! > '{pid}'; wait")

    assert "was killed by SIGKILL" in process(repository, make).failed["CPL_A"]
    wait_for(lambda: not alive(int(pid.read_text())))


@pytest.mark.parametrize("started", ["program", "converter"])
def test_worker_killed_while_it_starts_a_program_leaves_nothing(repository, monkeypatch, started):
    """The program runs already, and the worker does not know so yet: what it started ends, too."""
    granules(repository, "CPL_A")
    pid = repository.home / "pid"
    commands = f"sleep 1000 & echo $! > '{pid}'; wait"
    converter = repository.write("_convert", f"#!/bin/sh\n{commands}\n")
    converter.chmod(0o755)
    start = subprocess.Popen.__init__

    def start_slowly(self, *arguments, **options):
        start(self, *arguments, **options)
        time.sleep(10)  # as on a machine with too much to do

    def kill():
        wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))
        os.kill(os.getpid(), signal.SIGKILL)

    def make(granule):
        threading.Thread(target=kill).start()
        if started == "program":
            granule.run("sh", "-c", commands)
        else:
            granule.convert()

    monkeypatch.setattr(subprocess.Popen, "__init__", start_slowly)
    assert "was killed by SIGKILL" in process(repository, make).failed["CPL_A"]
    wait_for(lambda: not alive(int(pid.read_text())))


def test_program_ends_although_its_announcement_was_not_read_yet(repository, monkeypatch):
    """The handler gives the worker up before it comes to that message."""
    granules(repository, "CPL_A")
    pid = repository.home / "pid"

    def make(granule):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        granule.run("sh", "-c", f"sleep 1000 & echo $! > '{pid}'; wait")

    def stop_instead(pool):
        wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))
        pool._stopped.append(signal.SIGINT)
        return ()

    for module in ("pool", "worker_handle"):
        monkeypatch.setattr(f"cumulus.process.{module}.GRACE", 0)
    monkeypatch.setattr("cumulus.process.pool.Pool._listen", stop_instead)
    with pytest.raises(KeyboardInterrupt):
        process(repository, make)
    wait_for(lambda: not alive(int(pid.read_text())))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent", "No such file or directory"), ("text", "Permission denied"), ("\0", "null byte")],
    ids=["absent", "no permission", "null byte"],
)
def test_program_that_cannot_start_is_one_sentence(tmp_path, name, reason):
    """The announcement of its process group is taken back."""
    announced, program = tmp_path / "announced", f"{tmp_path}/{name}"
    (tmp_path / "text").write_text("not executable")

    def announce(pid):
        with announced.open("a") as file:
            print(pid is None, file=file)

    with pytest.raises(CumulusError, match=f"^cannot run '.*': .*{reason}$"):
        run_program([program], cwd=tmp_path, limits=Limits(), announcer=Announcer(announce))
    assert announced.read_text().splitlines()[-1] == "True"


def test_worker_that_is_told_to_end_fails_its_granule(repository, monkeypatch):
    """By somebody short of memory, perhaps; the run was not asked to stop."""
    monkeypatch.setenv("PROCESS_WORKERS", "1")
    granules(repository, "CPL_A", "CPL_B", "CPL_C")

    def make(granule):
        make_all(granule)
        if granule.id == "CPL_B":
            os.kill(os.getpid(), signal.SIGTERM)

    summary = process(repository, make)
    assert summary.failed == {"CPL_B": "its worker was ended by SIGTERM"}
    assert summary.processed == ["CPL_A", "CPL_C"]
    assert summary.status == 3


def test_run_that_did_not_come_to_every_granule_is_no_success():
    assert Summary(processed=["CPL_A"], abandoned=["CPL_B"]).status == 3


@pytest.mark.parametrize("lines", [1, 400], ids=["one line", "more than a pipe holds"])
def test_blocked_standard_output_costs_no_granule(repository, monkeypatch, lines):
    """As in a pager, or after Ctrl-S: longer than a step may take."""
    monkeypatch.setattr("cumulus.process.worker_handle.GRACE", 0.2)
    repository.configure("seconds = 60", "seconds = 1")
    granules(repository, "CPL_A")
    blocked = []

    def block(record):
        if not blocked:
            blocked.append(time.sleep(2))

    get_logger().handlers[-1].addFilter(lambda record: block(record) or True)

    def make(granule):
        for number in range(lines):
            logging.getLogger("mine").warning("%d", number)
        make_all(granule)

    assert process(repository, make).failed == {}


def test_granule_that_logs_for_ever_is_stopped(repository, monkeypatch):
    monkeypatch.setattr("cumulus.process.worker_handle.GRACE", 0.2)
    repository.configure("seconds = 60", "seconds = 0.5")
    granules(repository, "CPL_A")

    def log(granule):
        while True:
            logging.getLogger("mine").warning("on and on")

    assert "was stopped after 0.5 s" in process(repository, log).failed["CPL_A"]


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "٣", "9" * 5000])
def test_number_of_workers_that_is_none_is_one_sentence(repository, monkeypatch, text):
    monkeypatch.setenv("PROCESS_WORKERS", text)
    repository.granule()
    done = repository.run()
    assert done.returncode == 2
    assert "PROCESS_WORKERS must be a whole number from 1, not" in done.stdout
    assert len(done.stdout) < 1000
