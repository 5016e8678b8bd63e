"""Disks and inputs that misbehave: full, read-only, foreign file systems, links, long names."""

import errno
import os
import signal
import stat
import subprocess

import pytest

from cumulus.process import grouping


@pytest.fixture
def mount(tmp_path):
    """Mount a small file system of memory; the test is skipped where that is not allowed."""
    mounted = []

    def mount(name, options):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
        if os.geteuid() != 0 or subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
            pytest.skip("mounting a file system needs root and the right to mount")
        mounted.append(folder)
        return folder

    yield mount
    for folder in reversed(mounted):
        subprocess.run(["umount", folder], check=True)


def primaries(repository):
    return [name for name in repository.products() if name.endswith(".nc")]


def test_output_on_another_file_system_is_no_difference(repository, mount):
    repository.output = mount("elsewhere", "size=10m")
    repository.granule("CPL_A")
    assert repository.run().returncode == 0
    assert primaries(repository) == ["CPL_A.nc"]


def test_output_that_is_mounted_read_only_is_one_sentence(repository, mount):
    repository.output = mount("readonly", "ro")
    repository.granule("CPL_A")
    done = repository.run()
    assert (done.returncode, done.stderr) == (2, "")
    assert "Read-only file system" in done.stdout


def test_state_on_another_file_system_is_one_sentence(repository, mount):
    """Nothing could be moved out of it whole."""
    mount(repository.output / ".cumulus", "size=1m")
    repository.granule("CPL_A")
    done = repository.run()
    assert done.returncode == 2
    assert "is on another file system" in done.stdout


@pytest.mark.parametrize("kilobytes", [64, 200, 280, 400])
def test_disk_that_fills_up_tears_nothing_and_a_rerun_completes(repository, mount, kilobytes):
    """Wherever the space ends; then there is room again."""
    repository.output = mount("full", f"size={kilobytes}k")
    contents = {f"CPL_{number}": f"{number}" * 100_000 for number in range(4)}
    for name, text in contents.items():
        repository.granule(name, text)
    done = repository.run()
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
    for name in primaries(repository):
        assert (repository.output / name).read_text() == contents[name.removesuffix(".nc")]
    command = ["mount", "-o", "remount,size=10m", repository.output]
    subprocess.run(command, check=True)
    assert repository.run().returncode == 0
    assert primaries(repository) == [f"{name}.nc" for name in contents]


def test_granule_whose_record_cannot_be_written_leaves_nothing(repository):
    """The disk is full, or the place is taken, when its products already have their names."""
    repository.granule("CPL_A")
    repository.run()
    (record,) = repository.output.glob(".cumulus/granules/*.json")
    record.with_suffix(".new").mkdir()
    assert repository.run("--force", repository.input, repository.output).returncode == 2
    assert repository.products() == []
    assert not record.exists()


def test_link_out_of_the_input_directory_is_followed_where_the_owner_allows_it(
    repository, tmp_path
):
    """Workflow engines stage inputs so."""
    (tmp_path / "store").mkdir()
    stored = tmp_path / "store" / "CPL_A"
    path = repository.granule("CPL_A")
    path.rename(stored)
    path.symlink_to(stored)
    assert repository.run().returncode == 2
    assert repository.products() == []
    links = f"[granule]\nlinks = ['{tmp_path / 'store'}']"
    repository.configure("[granule]", links)
    assert repository.run().returncode == 0
    assert (repository.output / "CPL_A.nc").read_bytes() == stored.read_bytes()
    assert path.is_symlink()


def test_input_that_becomes_a_link_during_the_run_is_refused(repository, monkeypatch):
    """It is looked at again before it is read, and its earlier products are kept."""
    repository.granule("CPL_A")
    repository.run()
    before = repository.products()
    grouped = grouping.group_files

    def swap(collection, indir):
        result = grouped(collection, indir)
        (indir / "CPL_A.hdf5").unlink()
        (indir / "CPL_A.hdf5").symlink_to("/proc/self/environ")
        return result

    monkeypatch.setattr("cumulus.process.grouping.group_files", swap)
    done = repository.run("--force", repository.input, repository.output)
    assert done.returncode == 2 and "is a link out of the input directory" in done.stdout
    assert repository.products() == before


@pytest.mark.parametrize("target", ["nowhere", "CPL_L.hdf5"], ids=["to nothing", "to itself"])
def test_broken_link_fails_alone_and_by_name(repository, target):
    repository.granule("CPL_A")
    (repository.input / "CPL_L.hdf5").symlink_to(target)
    done = repository.run()
    assert done.returncode == 3
    assert "cannot read 'CPL_L.hdf5'" in done.stdout
    assert primaries(repository) == ["CPL_A.nc"]


def test_broken_link_that_is_no_input_is_left_alone(repository):
    repository.granule("CPL_A")
    (repository.input / "other").symlink_to("nowhere")
    assert repository.run().returncode == 0


def test_longest_possible_name_works(repository):
    """Its longest product has 255 bytes; one byte more fails that granule, by name."""
    fits = "CPL_" + "x" * (255 - len("CPL_.nc.meta.xml"))
    for name in (fits, fits + "x"):
        repository.granule("CPL_A").rename(repository.input / f"{name}.hdf5")
    repository.granule("CPL_A")
    done = repository.run()
    assert done.returncode == 3
    assert "would be 256 bytes long" in done.stdout
    assert primaries(repository) == ["CPL_A.nc", f"{fits}.nc"]


def test_input_that_vanishes_fails_alone(repository):
    """Deleted after the directory was read."""
    repository.granule("CPL_A")
    repository.granule("CPL_B")
    text = (repository.home / "process.py").read_text()
    vanish = 'if granule.id == "CPL_A": granule.inputs["primary"].unlink()\n    granule.convert()'
    repository.write("process.py", text.replace("granule.convert()", vanish))
    done = repository.run()
    assert done.returncode == 3
    assert primaries(repository) == ["CPL_B.nc"]


@pytest.mark.parametrize("times", [1, 2], ids=["first run", "rerun"])
def test_files_of_a_program_that_are_no_products_vanish(repository, times):
    """The stand-in converter leaves a .met file beside each product."""
    repository.granule("CPL_A")
    for _ in range(times):
        repository.run("--force", repository.input, repository.output)
    assert not list(repository.output.rglob("*.met"))
    assert repository.scratch() == []


def test_granule_of_several_files_is_made_anew_when_any_of_them_changes(repository):
    repository.configure('primary = "CPL_*.hdf5"', 'primary = "CPL_*.hdf5"\nmet = "{id}.met"')
    repository.granule("CPL_A")
    (repository.input / "CPL_A.met").write_text("one")
    repository.run()
    assert "1 skipped" in repository.run().stdout
    (repository.input / "CPL_A.met").write_text("other")
    assert "1 of 1 granules processed" in repository.run().stdout
    (repository.input / "CPL_A.met").unlink()
    assert "input 'met' is missing: no file matches 'CPL_A.met'" in repository.run().stdout


def test_input_directory_that_is_mounted_as_output_is_refused(repository, mount):
    """Its path is another one; products would replace inputs."""
    path = repository.granule("CPL_A")
    repository.configure('data = "{id}.nc"', 'data = "{id}.hdf5"')
    mount("output", "size=1m")  # skips where nothing may be mounted
    subprocess.run(["mount", "--bind", repository.input, repository.output], check=True)
    try:
        done = repository.run()
    finally:
        subprocess.run(["umount", repository.output], check=True)
    assert done.returncode == 2
    assert "are the same directory" in done.stdout
    assert path.stat().st_size > 0


def test_input_that_is_a_link_to_the_place_of_its_product_is_kept(repository):
    repository.configure('data = "{id}.nc"', 'data = "{id}.hdf5"')
    repository.granule("CPL_A").rename(repository.output / "CPL_A.hdf5")
    (repository.input / "CPL_A.hdf5").symlink_to("../output/CPL_A.hdf5")
    repository.configure("[granule]", f"[granule]\nlinks = ['{repository.output}']")
    done = repository.run()
    assert done.returncode == 2
    assert "which a product would replace: nothing was made of it" in done.stdout
    assert (repository.output / "CPL_A.hdf5").stat().st_size > 0


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["rerun", "forced"])
def test_products_stand_while_inputs_are_out_of_reach(repository, monkeypatch, options):
    """The file system of the inputs went away after they were listed; next time it is back."""
    repository.granule("CPL_A")
    repository.run()
    before = repository.products()
    grouped = grouping.group_files

    def vanish(collection, indir):
        result = grouped(collection, indir)
        repository.input.rename(repository.home / "away")
        return result

    monkeypatch.setattr("cumulus.process.grouping.group_files", vanish)
    monkeypatch.setattr("cumulus.process.outdir.ensure_writable", lambda indir, outdir: None)
    done = repository.run(*options, repository.input, repository.output)
    assert done.returncode == 2
    assert "cannot read input 'CPL_A.hdf5': No such file or directory" in done.stdout
    assert repository.products() == before
    monkeypatch.undo()
    (repository.home / "away").rename(repository.input)
    assert "1 skipped" in repository.run().stdout


def test_products_stand_when_a_worker_dies_while_it_reads_inputs(repository, monkeypatch):
    repository.granule("CPL_A")
    repository.run()
    before = repository.products()
    monkeypatch.setattr(
        "cumulus.process.attempt.checksum", lambda path: os.kill(os.getpid(), signal.SIGKILL)
    )
    assert repository.run("--force", repository.input, repository.output).returncode == 2
    assert repository.products() == before


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_file_system_that_cannot_sync_directories_is_no_failure(repository, monkeypatch, number):
    """Such as CIFS and some in user space; files are synced there."""
    monkeypatch.setattr("cumulus.process.delivery.os.fsync", failing_for_directories(number))
    repository.granule("CPL_A")
    assert repository.run().returncode == 0


def test_report_is_finished_whatever_the_disk_says(repository, monkeypatch):
    monkeypatch.setattr("cumulus.process.delivery.os.fsync", failing_for_directories(errno.EIO))
    repository.granule("CPL_A")
    assert repository.run().returncode == 2
    assert repository.reports()[-1]["summary"]["failed"] == 1


def failing_for_directories(number):
    fsync = os.fsync

    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    return fail
