"""A function in a process of its own: its answer, its errors, its end."""

import multiprocessing
import os
import signal
import time

import pytest
from samples import alive, wait_for

from cumulus import CumulusError
from cumulus.isolation import Died, call_apart


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
