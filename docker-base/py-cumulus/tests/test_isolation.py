"""A function in a process of its own: its answer, its errors, its end."""

import multiprocessing
import os
import signal
import time

import pytest
from samples import alive, wait_for

from cumulus import CumulusError
from cumulus.isolation import Apart, Died, call_apart


def test_answer_comes_from_another_process():
    assert call_apart(os.getpid) != os.getpid()


def test_error_is_raised_here():
    def fail(word):
        raise CumulusError(f"cannot do {word}")

    with pytest.raises(CumulusError, match="cannot do it"):
        call_apart(fail, "it")


def test_large_answer_arrives_whole():
    """More than a pipe holds."""
    assert call_apart(bytes, 3_000_000) == bytes(3_000_000)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
        (lambda: os._exit(7), "exit status 7"),
    ],
    ids=["killed", "exits"],
)
def test_end_without_an_answer_is_said(end, message):
    with pytest.raises(Died, match=f"^{message}$"):
        call_apart(end)


def test_function_without_end_is_ended():
    with pytest.raises(Died, match=r"^no end after 1 s$"):
        call_apart(time.sleep, 60, seconds=0.6)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_killed_caller_leaves_no_process_behind(tmp_path):
    """Nobody waits for the answer any more, which may never come."""
    pid = tmp_path / "pid"

    def wait():
        pid.write_text(f"{os.getpid()}\n")
        time.sleep(1000)

    caller = multiprocessing.get_context("fork").Process(target=call_apart, args=(wait,))
    caller.start()
    wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))
    caller.kill()
    caller.join()
    wait_for(lambda: not alive(int(pid.read_text())))


def test_interrupted_caller_leaves_no_process_behind():
    def interrupt(signal_number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            call_apart(time.sleep, 60)
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_one_process_answers_many_calls():
    with Apart(lambda number: (number, os.getpid())) as apart:
        answers = [apart.call(number) for number in range(50)]
    assert [number for number, _ in answers] == list(range(50))
    assert len({pid for _, pid in answers}) == 1
    assert not alive(answers[0][1])


def test_process_is_replaced_after_so_many_calls(monkeypatch):
    monkeypatch.setattr("cumulus.isolation.CALLS", 3)
    with Apart(os.getpid) as apart:
        pids = [apart.call() for _ in range(8)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 2]


def test_failure_that_an_earlier_call_left_behind_does_not_count():
    """The second call fails only in a process that has answered before."""
    calls = []

    def function():
        calls.append("call")  # in the child alone
        if len(calls) > 1:
            os._exit(7)
        return os.getpid()

    with Apart(function) as apart:
        assert len({apart.call() for _ in range(4)}) == 4


def test_call_without_end_is_not_made_again(tmp_path):
    """It would take as long again."""

    def function(seconds):
        with open(tmp_path / "calls", "a") as file:
            file.write(f"{seconds}\n")
        time.sleep(seconds)

    with Apart(function) as apart:
        apart.call(0)
        with pytest.raises(Died, match=r"^no end after 1 s$"):
            apart.call(60, seconds=0.6)
        apart.call(0)
    assert (tmp_path / "calls").read_text().split() == ["0", "60", "0"]


def test_process_that_ends_between_calls_costs_none():
    with Apart(os.getpid) as apart:
        os.kill(apart.call(), signal.SIGKILL)
        assert alive(apart.call())
