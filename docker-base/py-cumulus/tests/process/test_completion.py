"""Completion records: what a rerun leaves alone, and what makes it process a granule again."""

import json
import os
import shutil

import pytest

from cumulus import collection
from cumulus.files import FileFacts, checksum
from cumulus.process.completion import Completions, code_fingerprint
from cumulus.process.worker_handle import WorkerHandle

PRODUCTS = ["CPL_A.cmr.json", "CPL_A.nc", "CPL_A.nc.meta.xml"]


def statuses(repository):
    """What the latest run says of each granule."""
    newest = max(repository.output.glob(".cumulus/report-*.jsonl"), key=os.path.getmtime)
    lines = [json.loads(line) for line in newest.read_text().splitlines()]
    return {line["granule"]: line["status"] for line in lines if "granule" in line}


@pytest.fixture
def done(repository):
    """A repository whose granules A and B have been processed."""
    repository.granule("CPL_A")
    repository.granule("CPL_B")
    assert repository.run().returncode == 0
    return repository


def rerun(repository, *options):
    repository.run(*options, repository.input, repository.output)
    return statuses(repository)


def test_rerun_skips_what_is_done(done):
    before = {path: path.stat() for path in done.output.iterdir() if path.is_file()}
    result = done.run()
    assert result.returncode == 0
    assert "0 of 2 granules processed, 2 skipped, 0 failed" in result.stdout
    assert statuses(done) == {"CPL_A": "skipped", "CPL_B": "skipped"}
    assert {path: path.stat() for path in before} == before


def test_new_granule_is_processed_beside_what_is_done(done):
    done.granule("CPL_C")
    assert rerun(done) == {"CPL_A": "skipped", "CPL_B": "skipped", "CPL_C": "processed"}


def test_force_processes_everything_again(done):
    assert rerun(done, "--force") == {"CPL_A": "processed", "CPL_B": "processed"}


def test_changed_input_is_processed_again(done):
    done.granule("CPL_A", latitude=(20, 22))
    assert rerun(done) == {"CPL_A": "processed", "CPL_B": "skipped"}


def test_input_changed_within_one_tick_of_the_clock_is_processed_again(done):
    """Same size, same time of change: right after the run only the content can tell."""
    path = done.input / "CPL_A.hdf5"
    state = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert rerun(done)["CPL_A"] == "processed"


def test_input_fetched_again_is_not_processed_again(done):
    """Another file of another time with the same content."""
    path = done.input / "CPL_A.hdf5"
    shutil.copyfile(path, done.input / "copy")
    os.replace(done.input / "copy", path)
    os.utime(path, (1, 1))
    assert rerun(done) == {"CPL_A": "skipped", "CPL_B": "skipped"}


@pytest.mark.parametrize("name", PRODUCTS)
def test_missing_product_is_made_again(done, name):
    (done.output / name).unlink()
    assert rerun(done) == {"CPL_A": "processed", "CPL_B": "skipped"}
    assert (done.output / name).exists()


@pytest.mark.parametrize("name", PRODUCTS)
def test_altered_product_is_made_again(done, name):
    path = done.output / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"?")
    assert rerun(done) == {"CPL_A": "processed", "CPL_B": "skipped"}
    assert not path.read_bytes().endswith(b"?")


def test_product_replaced_by_a_link_is_made_again(done):
    path = done.output / "CPL_A.nc"
    path.rename(done.home / "moved.nc")
    path.symlink_to(done.home / "moved.nc")
    assert rerun(done)["CPL_A"] == "processed"
    assert not path.is_symlink()


def edit(path, text="\n# changed\n"):
    with open(path, "a") as file:
        file.write(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda home: edit(home / "_convert"),
        lambda home: edit(home / "process.py"),
        lambda home: edit(home / "collection.toml"),
        lambda home: edit(home / "src" / "table.csv", "1,2"),
        lambda home: edit(home / "src" / "deep" / "module.py"),
        lambda home: (home / "src" / "table.csv").rename(home / "src" / "other.csv"),
        lambda home: (home / "src" / "deep").rename(home / "src" / "other"),
        lambda home: edit(home / "elsewhere" / "calibration.csv", "1,2"),
        lambda home: edit(home / "elsewhere" / "one.csv", "1,2"),
    ],
    ids=["converter", "handler", "collection.toml", "src", "deep in src", "a name in src",
         "a folder in src", "behind a link to a folder", "behind a link"],
)  # fmt: skip
def test_changed_code_processes_everything_again(repository, change):
    (repository.home / "src" / "deep").mkdir(parents=True)
    (repository.home / "src" / "table.csv").touch()
    (repository.home / "src" / "deep" / "module.py").touch()
    (repository.home / "elsewhere").mkdir()
    (repository.home / "elsewhere" / "calibration.csv").touch()
    (repository.home / "elsewhere" / "one.csv").touch()
    (repository.home / "src" / "tables").symlink_to("../elsewhere")
    (repository.home / "src" / "one.csv").symlink_to("../elsewhere/one.csv")
    (repository.home / "src" / "circle").symlink_to("..")
    repository.granule("CPL_A")
    repository.run()
    assert rerun(repository) == {"CPL_A": "skipped"}
    change(repository.home)
    assert rerun(repository) == {"CPL_A": "processed"}


def test_products_of_former_names_are_removed(done):
    done.configure('data = "{id}.nc"', 'data = "{id}_v2.nc"')
    done.configure('cmr = "{id}.cmr.json"', "")
    (done.output / "CPL_C.nc").write_text("of somebody else")
    assert rerun(done) == {"CPL_A": "processed", "CPL_B": "processed"}
    kept = ["CPL_A.nc.meta.xml", "CPL_A_v2.nc", "CPL_B.nc.meta.xml", "CPL_B_v2.nc", "CPL_C.nc"]
    assert done.products() == kept


def test_former_name_that_is_another_granules_now_stays(repository):
    """The product of A had the name that B's has now."""
    repository.configure("(?P<id>CPL_.*)", "(?P<id>CPL_.)(?P<n>.*)")
    repository.configure('data = "{id}.nc"', 'data = "{n}.nc"')
    repository.granule("CPL_A1")
    repository.granule("CPL_B2")
    assert repository.run().returncode == 0
    (repository.input / "CPL_A1.hdf5").rename(repository.input / "CPL_A2.hdf5")
    (repository.input / "CPL_B2.hdf5").rename(repository.input / "CPL_B1.hdf5")
    assert rerun(repository) == {"CPL_A": "processed", "CPL_B": "processed"}
    assert {"1.nc", "2.nc"} <= set(repository.products())


def test_changed_identity_processes_everything_again(done, monkeypatch):
    """The environment overrides collection.toml."""
    monkeypatch.setenv("VERSION", "2")
    assert set(rerun(done).values()) == {"processed"}
    assert "<VersionId>2</VersionId>" in (done.output / "CPL_A.nc.meta.xml").read_text()


def test_changed_variable_that_process_reads_processes_everything_again(done, monkeypatch):
    """Those that [granule].environment names; one that is not set is another value, too."""
    done.configure("[granule]", '[granule]\nenvironment = ["GAIN"]')
    rerun(done)
    for value in ("1", "2", ""):
        monkeypatch.setenv("GAIN", value)
        assert set(rerun(done).values()) == {"processed"}
        assert set(rerun(done).values()) == {"skipped"}
    monkeypatch.delenv("GAIN")
    assert set(rerun(done).values()) == {"processed"}
    monkeypatch.setenv("OTHER", "1")
    assert set(rerun(done).values()) == {"skipped"}


def test_other_version_of_py_cumulus_is_another_fingerprint(repository, monkeypatch):
    rules = collection.load(repository.home / "collection.toml")
    before = code_fingerprint(repository.home, rules)
    assert code_fingerprint(repository.home, rules) == before
    monkeypatch.setattr("cumulus.process.completion.__version__", "99")
    assert code_fingerprint(repository.home, rules) != before


def test_compiled_modules_are_no_part_of_the_fingerprint(repository):
    (repository.home / "src" / "__pycache__").mkdir(parents=True)
    rules = collection.load(repository.home / "collection.toml")
    before = code_fingerprint(repository.home, rules)
    (repository.home / "src" / "__pycache__" / "module.pyc").write_bytes(b"x")
    assert code_fingerprint(repository.home, rules) == before


def test_broken_converter_turns_a_rerun_red(done):
    """Products of the time before never hide that the converter does not work any more."""
    done.write("_convert", "#!/bin/sh\nexit 3\n", executable=True)
    result = done.run()
    assert result.returncode == 2
    assert done.products() == []


def test_failed_granule_is_tried_again(repository):
    repository.granule("CPL_A", "fail:")
    repository.run()
    assert rerun(repository) == {"CPL_A": "failed"}


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"fingerprint": 1}'])
def test_record_that_was_cut_off_is_none(done, text):
    """As after a loss of power."""
    for path in done.output.glob(".cumulus/granules/*.json"):
        path.write_text(text)
    assert rerun(done) == {"CPL_A": "processed", "CPL_B": "processed"}


@pytest.fixture
def archive(repository):
    """A repository whose granules A and B have been processed, long after their inputs came."""
    for name in ("CPL_A", "CPL_B"):
        os.utime(repository.granule(name), (1e9, 1e9))
    assert repository.run().returncode == 0
    return repository


def test_rerun_that_skips_everything_says_so_in_one_line(archive):
    skipped, counts = archive.run().stdout.splitlines()
    assert 'message="2 granules skipped: products are up to date"' in skipped
    assert "0 of 2 granules processed, 2 skipped, 0 failed" in counts
    assert statuses(archive) == {"CPL_A": "skipped", "CPL_B": "skipped"}


def test_rerun_asks_no_worker_about_what_is_done(archive, monkeypatch):
    """A worker only makes the new granule."""
    begun, begin = [], WorkerHandle.begin

    def note(worker, number):
        begun.append(number)
        begin(worker, number)

    monkeypatch.setattr(WorkerHandle, "begin", note)
    archive.granule("CPL_AB")
    assert rerun(archive) == {"CPL_A": "skipped", "CPL_AB": "processed", "CPL_B": "skipped"}
    assert begun == [1]


def test_file_of_another_time_is_read_by_a_worker(archive, monkeypatch):
    """The handler itself reads no archive; the content is the same, and the granule is skipped."""
    handler = os.getpid()

    def refuse(path):
        assert os.getpid() != handler
        return checksum(path)

    monkeypatch.setattr("cumulus.process.completion.checksum", refuse)
    monkeypatch.setattr("cumulus.process.completion.code_fingerprint", lambda *_: "as it was")
    os.utime(archive.input / "CPL_A.hdf5", (1.1e9, 1.1e9))
    for path in archive.output.glob(".cumulus/granules/*.json"):
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "fingerprint": "as it was"}))
    assert rerun(archive) == {"CPL_A": "skipped", "CPL_B": "skipped"}


def test_record_that_is_a_pipe_is_none(done):
    """Nobody waits for its other end."""
    for path in done.output.glob(".cumulus/granules/*.json"):
        path.unlink()
        os.mkfifo(path)
    assert rerun(done) == {"CPL_A": "processed", "CPL_B": "processed"}


def test_record_of_an_earlier_version_names_its_products(tmp_path):
    """It has a name for each fact of a file."""
    (tmp_path / ".cumulus").mkdir()
    completions = Completions(tmp_path, "fingerprint")
    completions.prepare()
    facts = {"name": "a.nc", "size": 1, "mtime_ns": 2, "sha256": "3"}
    completions._path("A").write_text(json.dumps({"granule": "A", "products": {"data": facts}}))
    assert completions.product_names("A") == ["a.nc"]


def test_record_of_another_granule_is_none(tmp_path):
    """Should two ids ever have the same hash."""
    (tmp_path / ".cumulus").mkdir()
    (tmp_path / "a.nc").write_text("x")
    completions = Completions(tmp_path, "fingerprint")
    completions.prepare()
    state = (tmp_path / "a.nc").stat()
    facts = {"data": FileFacts("a.nc", 1, state.st_mtime_ns, "")}
    completions.write("A", 0, {}, facts)
    assert completions.up_to_date("A", {}, {"data": "a.nc"}) == ({}, facts)
    completions._path("A").rename(completions._path("B"))
    assert completions.up_to_date("B", {}, {"data": "a.nc"}) is None


def test_input_that_changes_meanwhile_fails_the_granule(repository):
    repository.granule("CPL_A", "change:")
    repository.granule("CPL_B")
    result = repository.run()
    assert result.returncode == 3
    assert "input 'CPL_A.hdf5' changed while it was processed: run again" in result.stdout
    assert not any(name.startswith("CPL_A") for name in repository.products())
