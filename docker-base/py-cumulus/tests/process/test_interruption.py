"""Nothing incomplete under a product's name: signals, kill -9, full disks, other people's files."""

import contextlib
import errno
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import netCDF4
import pytest
from samples import Repository, alive, wait_for

from cumulus import CumulusError, files
from cumulus.process import main
from cumulus.process.delivery import deliver, ensure_complete, remove_products
from cumulus.process.outdir import ensure_writable, scratch_space


def converter_pid(repository):
    """A hanging converter's process id, once it runs."""
    return wait_for(repository.converters)[0]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stop_ends_the_converter_and_leaves_no_scratch(repository, monkeypatch, number, status):
    repository.granule("CPL_A", "hang:")
    repository.granule("CPL_B", "hang:")
    repository.granule("CPL_C", "hang:")
    monkeypatch.setenv("PROCESS_WORKERS", "2")
    handler = repository.start(repository.input, repository.output)
    pid = converter_pid(repository)
    handler.send_signal(number)
    out, err = handler.communicate(timeout=30)
    assert (handler.returncode, err) == (status, "")
    wait_for(lambda: not alive(pid))
    assert repository.scratch() == []
    counts = re.search(r"0 of 3 granules .*, 0 failed, (\d) interrupted, (\d) not started, in", out)
    assert counts and sum(map(int, counts.groups())) == 3
    assert f"interrupted by {number.name}" in out


def test_second_stop_does_not_disturb_the_clean_up(own_signals):
    cleaned = []

    def process(indir, outdir):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned.append(True)

    assert main(process, ["process.py"]) == 143
    assert cleaned == [True]


def test_stop_waits_until_a_granule_is_delivered(tmp_path, monkeypatch, own_signals):
    products = {}
    for name in ("data", "metadata"):
        products[name] = tmp_path / name
        products[name].write_text("x")
    (tmp_path / "out").mkdir()
    replace = os.replace

    def stop_and_replace(source, target):
        os.kill(os.getpid(), signal.SIGTERM)
        replace(source, target)

    monkeypatch.setattr("cumulus.process.delivery.os.replace", stop_and_replace)
    assert main(lambda *_: deliver(products, tmp_path / "out"), ["process.py"]) == 143
    assert sorted(os.listdir(tmp_path / "out")) == ["data", "metadata"]


@pytest.fixture
def own_signals():
    """Give the test runner its signal handlers back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_products_are_on_the_disk_before_they_have_their_names(tmp_path, monkeypatch):
    steps = []
    replace, fsync = os.replace, files.fsync
    spies = {
        "replace": lambda a, b: (steps.append(f"rename {a.name}"), replace(a, b)),
        "fsync": lambda path: (steps.append(f"sync {path.name}"), fsync(path)),
    }
    monkeypatch.setattr("cumulus.process.delivery.os.replace", spies["replace"])
    monkeypatch.setattr("cumulus.process.delivery.fsync", spies["fsync"])
    (tmp_path / "out").mkdir()
    products = {name: tmp_path / name for name in ("data", "cmr")}
    for path in products.values():
        path.write_text("x")
    deliver(products, tmp_path / "out")
    assert steps == [
        "sync data", "sync cmr", "rename cmr", "sync out", "rename data",
    ]  # fmt: skip


def test_names_are_on_the_disk_when_a_run_ends(repository, monkeypatch):
    repository.granule()
    synced = []
    fsync = files.fsync
    monkeypatch.setattr("cumulus.files.fsync", lambda path: (synced.append(path), fsync(path)))
    repository.run()
    assert synced[-1] == repository.output


def complete(repository):
    """Every product under its final name opens and has its companions beside it."""
    for product in repository.output.glob("*.nc"):
        with netCDF4.Dataset(product) as dataset:
            assert dataset["time"][:].count() == 2
        assert product.with_name(product.name + ".meta.xml").stat().st_size > 0
        assert product.with_suffix(".cmr.json").stat().st_size > 0


@pytest.mark.slow
def test_kill_at_any_moment_leaves_only_complete_products(repository):
    for number in range(6):
        repository.granule(f"CPL_{number}")
    moments = random.Random(2)
    for _ in range(8):
        handler = repository.start(repository.input, repository.output)
        with contextlib.suppress(Exception):
            handler.wait(timeout=moments.uniform(0.2, 1.0))
        handler.kill()
        handler.communicate(timeout=30)
        complete(repository)
    assert repository.run().returncode == 0
    complete(repository)
    assert len(list(repository.output.glob("*.nc"))) == 6
    assert repository.scratch() == []


def test_kill_while_granules_end_out_of_order_keeps_report_and_records(repository, monkeypatch):
    """The first granule hangs: the report has the others, each with its record, and no summary."""
    monkeypatch.setenv("PROCESS_WORKERS", "2")
    repository.granule("CPL_A", "hang:")
    for name in ("CPL_B", "CPL_C", "CPL_D"):
        repository.granule(name)
    handler = repository.start(repository.input, repository.output)
    pid = converter_pid(repository)
    wait_for(lambda: len(repository.reports()) == 3)
    handler.kill()
    handler.wait(timeout=30)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    handler.communicate(timeout=30)
    lines = repository.reports()
    assert [(line["granule"], line["status"]) for line in lines] == [
        (name, "processed") for name in ("CPL_B", "CPL_C", "CPL_D")
    ]
    records = [
        json.loads(path.read_text())["granule"]
        for path in repository.output.glob(".cumulus/granules/*.json")
    ]
    assert sorted(records) == ["CPL_B", "CPL_C", "CPL_D"]
    repository.granule("CPL_A")
    repository.run()
    rerun = repository.reports()[3:]
    assert [line.get("status") for line in rerun] == ["processed", *3 * ["skipped"], None]
    assert rerun[1]["products"] == lines[0]["products"]


def test_leftovers_of_a_dead_run_are_cleared(repository):
    repository.granule("CPL_A", "hang:")
    handler = repository.start(repository.input, repository.output)
    pid = converter_pid(repository)
    handler.kill()
    handler.wait(timeout=30)
    os.killpg(pid, signal.SIGKILL)  # nobody is left to do it; it holds the pipes open
    handler.communicate(timeout=30)
    assert len(repository.scratch()) == 1
    repository.granule("CPL_A")
    assert repository.run().returncode == 0
    assert repository.scratch() == []


def test_second_run_is_refused_while_the_first_one_lives(repository, monkeypatch):
    """They would remove each other's products. Then the directory is free again."""
    monkeypatch.setattr("cumulus.process.outdir._DYING", 0.1)
    repository.granule("CPL_A", "hang:")
    living = repository.start(repository.input, repository.output)
    converter_pid(repository)
    done = repository.run()
    assert (done.returncode, done.stderr) == (2, "")
    assert f"another run is writing to '{repository.output}': wait for its end" in done.stdout
    assert len(repository.scratch()) == 1
    living.terminate()
    living.communicate(timeout=30)
    assert living.returncode == 143
    repository.granule("CPL_A")
    assert repository.run().returncode == 0


def test_run_waits_for_the_workers_of_one_that_was_killed(repository, monkeypatch):
    """Such a worker may be delivering; the kernel ends it soon."""
    monkeypatch.setattr("cumulus.process.outdir._DYING", 30)
    (repository.output / ".cumulus").mkdir()
    with scratch_space(repository.output) as (_, lock):
        worker = subprocess.Popen(["sleep", "0.5"], pass_fds=[lock.fileno()])
    repository.granule("CPL_A")
    assert repository.run().returncode == 0
    assert worker.poll() is not None


def test_what_a_handler_started_does_not_keep_the_next_run_out(repository, monkeypatch):
    """A process that it forked, or ran, and that outlives everything."""
    monkeypatch.setattr("cumulus.process.outdir._DYING", 0)
    repository.granule("CPL_A")
    pids = repository.home / "pids"
    text = (repository.home / "process.py").read_text()
    fork = f"""
    import ctypes, os, subprocess
    run = subprocess.Popen(["sleep", "1000"], start_new_session=True, close_fds=False)
    if (pid := os.fork()) == 0:
        os.setsid()
        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # no end with the parent
        Path({str(pids)!r}).write_text(f"{{run.pid}} {{os.getpid()}}")
        time.sleep(1000)
    while not Path({str(pids)!r}).exists(): time.sleep(0.01)
    granule.convert()"""
    repository.write("process.py", text.replace("    granule.convert()", fork))
    try:
        assert repository.run().returncode == 0
        assert all(alive(int(pid)) for pid in pids.read_text().split())
        assert repository.run().returncode == 0
    finally:
        for pid in pids.read_text().split():
            os.kill(int(pid), signal.SIGKILL)


def test_file_system_without_locks_is_a_warning(repository, monkeypatch):
    """Nobody knows whose scratch is there: it stays."""

    def flock(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("cumulus.process.outdir.fcntl.flock", flock)
    (repository.output / ".cumulus" / "scratch-other").mkdir(parents=True)
    repository.granule("CPL_A")
    done = repository.run()
    assert done.returncode == 0
    assert "(Function not implemented): start no second run there" in done.stdout
    assert [folder.name for folder in repository.scratch()] == ["scratch-other"]


def test_primary_product_comes_last(tmp_path, monkeypatch):
    seen = []
    replace = os.replace

    def spy(source, target):
        seen.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr("cumulus.process.delivery.os.replace", spy)
    (tmp_path / "scratch").mkdir()
    products = {name: tmp_path / "scratch" / name for name in ("data", "metadata", "cmr")}
    for path in products.values():
        path.write_text("x")
    deliver(products, tmp_path)
    assert seen == ["metadata", "cmr", "data"]


def test_primary_product_goes_first(repository, monkeypatch):
    names = ["a.nc", "a.nc.meta.xml", "a.cmr.json"]
    for name in names:
        (repository.output / name).write_text("x")
    seen = []
    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda path: (seen.append(path.name), unlink(path)))
    remove_products(repository.output, names)
    assert seen == names


def test_product_that_is_a_link_is_not_delivered(tmp_path):
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(CumulusError, match="was not made"):
        ensure_complete({"data": tmp_path / "link"})


def test_product_that_is_the_input_under_another_name_is_not_delivered(repository):
    """What becomes of the one would become of the other."""
    text = (repository.home / "process.py").read_text()
    link = 'import os; os.link(granule.inputs["primary"], granule.products["data"])'
    repository.write("process.py", text.replace("granule.convert()", link))
    repository.granule()
    message = "product 'data' is a hard link of another file: copy that to 'CPL_A.nc'"
    assert message in repository.run().stdout
    assert repository.products() == []


def test_scratch_vanishes_after_an_exception(tmp_path):
    (tmp_path / ".cumulus").mkdir()
    with pytest.raises(KeyError), scratch_space(tmp_path) as (scratch, _):
        (scratch / "file").touch()
        raise KeyError
    assert not scratch.exists()


# --- output that cannot be written -----------------------------------------------------------


def as_nobody(function):
    """Run a function as uid 65534 in a child; return the words of its CumulusError."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        message = ""
        try:
            os.setgid(65534)
            os.setuid(65534)
            function()
        except CumulusError as error:
            message = str(error)
        except BaseException as error:
            message = repr(error)
        os.write(writer, message.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        message = pipe.read()
    os.waitpid(pid, 0)
    return message


@pytest.fixture
def outdir():
    """A directory that every user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        os.chmod(path, 0o755)
        (Path(path) / "out").mkdir(mode=0o755)
        yield Path(path) / "out"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_output_of_another_user_names_the_line_to_add(outdir):
    os.chown(outdir, 1234, 567)
    message = as_nobody(lambda: ensure_writable("/tmp", outdir))
    assert message == (
        f"cannot write to '{outdir}' as uid 65534: Permission denied; it belongs to uid 1234: "
        "add the line UID_GID=1234:567 to .env, or -u 1234:567 to docker run"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_state_of_another_user_names_the_line_to_add(outdir):
    os.chmod(outdir, 0o777)
    (outdir / ".cumulus").mkdir(mode=0o755)
    os.chown(outdir / ".cumulus", 1234, 567)
    message = as_nobody(lambda: ensure_writable("/tmp", outdir))
    assert "add the line UID_GID=1234:567 to .env" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_own_output_that_is_read_only_is_one_sentence(outdir):
    os.chmod(outdir, 0o555)
    with pytest.raises(CumulusError, match=r"Permission denied$"):
        ensure_writable("/tmp", outdir)


def test_full_disk_fails_granules_and_leaves_nothing(tmp_path, monkeypatch):
    """A file system of 256 kB takes the small granules and not the large one."""
    monkeypatch.setenv("PROCESS_WORKERS", "1")  # side by side, one fills the disk for the other
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounting a small file system needs root and the right to mount")
    try:
        repository = Repository(tmp_path)
        repository.output = folder
        repository.granule("CPL_A")
        repository.granule("CPL_B", "x" * 500_000)
        repository.granule("CPL_C")
        done = repository.run()
        assert done.returncode == 3
        assert "No space left on device" in done.stdout
        assert repository.scratch() == []
        assert [name for name in repository.products() if name.endswith(".nc")] == [
            "CPL_A.nc",
            "CPL_C.nc",
        ]
    finally:
        subprocess.run(["umount", folder], check=True)
