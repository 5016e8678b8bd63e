"""How far a run is: a bar on a terminal, lines of the log elsewhere."""

import os
import pty
import subprocess

import pytest


def run_on_a_terminal(repository, stdout):
    """Run the handler with standard error on a terminal; returns what the terminal shows."""
    pytest.importorskip("tqdm")
    near, far = pty.openpty()
    handler = repository.start(repository.input, repository.output, stdout=stdout(far), stderr=far)
    os.close(far)
    shown = b""
    while True:
        try:
            piece = os.read(near, 65536)
        except OSError:  # the last process that had it open has closed it
            break
        if not piece:
            break
        shown += piece
    out = handler.communicate(timeout=30)[0]
    os.close(near)
    return handler.returncode, shown.decode(), out


def test_terminal_has_a_bar_and_only_failures_beside_it(repository):
    repository.granule("CPL_A")
    repository.granule("CPL_B", "fail:")
    status, shown, _ = run_on_a_terminal(repository, lambda far: far)
    assert status == 3
    assert "2/2" in shown and "failed=1" in shown and "granules/s" in shown
    assert "failed: _convert failed" in shown
    assert "started" not in shown and "finished in" not in shown


def test_bar_does_not_disturb_a_log_that_goes_elsewhere(repository):
    repository.granule("CPL_A")
    status, shown, out = run_on_a_terminal(repository, lambda far: subprocess.PIPE)
    assert status == 0
    assert "1/1" in shown and "timestamp=" not in shown
    assert len(out.splitlines()) == 3
    assert all(line.startswith("timestamp=") for line in out.splitlines())


def test_without_a_terminal_there_are_plain_lines(repository):
    repository.granule("CPL_A")
    done = repository.run_child()
    assert done.stderr == ""
    assert "\r" not in done.stdout and "\x1b" not in done.stdout


def test_bar_is_not_imported_without_a_terminal(repository):
    repository.granule("CPL_A")
    script = (repository.home / "process.py").read_text()
    script += '    assert "tqdm" not in sys.modules\n'
    script = script.replace("sys.exit(main(process))", "assert main(process) == 0")
    repository.write("process.py", script)
    done = repository.run_child()
    assert (done.returncode, done.stderr) == (0, "")


def test_terminal_without_tqdm_has_plain_lines(repository):
    repository.granule("CPL_A")
    script = (repository.home / "process.py").read_text()
    script = script.replace("import sys\n", "import sys\nsys.modules['tqdm'] = None\n")
    repository.write("process.py", script)
    near, far = pty.openpty()
    handler = repository.start(repository.input, repository.output, stderr=far)
    out, _ = handler.communicate(timeout=30)
    os.close(far)
    os.close(near)
    assert handler.returncode == 0
    assert "granule 1/1 finished" in out
