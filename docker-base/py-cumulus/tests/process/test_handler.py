"""The granule loop and the handler's command line."""

import os
import subprocess
import sys
import time

import h5py
import netCDF4
import pytest
from samples import SOURCE, write_product

from cumulus import CumulusError
from cumulus.process import check_output, main, process_granules

PRODUCTS = ["CPL_A.cmr.json", "CPL_A.nc", "CPL_A.nc.meta.xml"]


def process(repository, function):
    return process_granules(function, repository.input, repository.output, home=repository.home)


def make_all(granule):
    for path in granule.products.values():
        path.write_text(granule.id)


# --- the whole handler -----------------------------------------------------------------------


def test_products_appear_and_nothing_else(repository):
    repository.granule()
    done = repository.run_child()
    assert (done.returncode, done.stderr) == (0, "")
    assert repository.products() == PRODUCTS
    assert repository.scratch() == []


def test_each_granule_logs_start_and_finish_with_its_count(repository, monkeypatch):
    monkeypatch.setenv("PROCESS_WORKERS", "1")
    repository.granule("CPL_A")
    repository.granule("CPL_B")
    lines = repository.run().stdout.splitlines()
    assert ['message="granule 1/2 started"' in lines[0], "granule 2/2 finished in" in lines[3]]
    assert "2 of 2 granules processed, 0 failed" in lines[4]
    assert len(lines) == 5


def test_one_bad_granule_does_not_stop_the_others(repository):
    repository.granule("CPL_A")
    repository.granule("CPL_B", "fail:")
    repository.granule("CPL_C")
    done = repository.run()
    assert done.returncode == 3
    assert repository.products() == [*PRODUCTS, *(name.replace("A", "C") for name in PRODUCTS)]
    assert "_convert failed (exit status 3): cannot read '/Data/x'" in done.stdout


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fail:", "_convert failed (exit status 3)"),
        ("none:", "output file 'CPL_A.nc' was not made"),
        ("void:", "output file 'CPL_A.nc' is empty"),
        ("\x89HDF\r\n\x1a\nbroken", "does not open"),
    ],
)
def test_bad_conversion_is_that_granules_failure(repository, text, reason):
    repository.granule("CPL_A")
    (repository.input / "CPL_A.hdf5").write_bytes(text.encode("latin-1"))
    done = repository.run()
    assert done.returncode == 2  # the only granule
    assert reason in done.stdout
    assert repository.products() == []
    assert repository.scratch() == []


def test_hanging_converter_is_stopped(repository):
    repository.configure("seconds = 60", "seconds = 0.5")
    repository.granule("CPL_A", "hang:")
    started = time.monotonic()
    done = repository.run()
    assert "_convert was stopped after 0.5 s ([limits].seconds in collection.toml)" in done.stdout
    assert time.monotonic() - started < 20


def test_absent_converter_says_how_to_make_it(repository):
    (repository.home / "_convert").unlink()
    repository.granule()
    assert "run make -C convert" in repository.run().stdout


def test_products_of_an_earlier_run_are_made_anew(repository):
    repository.granule()
    repository.run()
    (repository.output / "CPL_A.nc").write_text("stale")
    assert repository.run().returncode == 0
    netCDF4.Dataset(repository.output / "CPL_A.nc").close()


def test_products_of_an_earlier_run_do_not_outlive_a_failure(repository):
    repository.granule()
    repository.run()
    repository.granule(text="fail:")
    assert repository.run().returncode == 2
    assert repository.products() == []


def test_other_files_in_the_output_are_left_alone(repository):
    (repository.output / "mine.txt").write_text("x")
    repository.granule()
    repository.run()
    assert "mine.txt" in repository.products()


ODD = ["CPL_ a b", "CPL_'\"", "CPL_$(touch x)", "CPL_ü", "CPL_{id}", "CPL_&<>"]


@pytest.mark.parametrize("name", ODD)
def test_odd_name_works(repository, name):
    repository.granule(name)
    done = repository.run()
    assert done.returncode == 0, done.stdout
    assert f"{name}.nc" in repository.products()
    assert all(line.startswith("timestamp=") for line in done.stdout.splitlines())


def test_name_with_a_leading_dash_works(repository):
    repository.configure("CPL_*.hdf5", "*.hdf5")
    repository.configure("(?P<id>CPL_.*)", "(?P<id>.*)")
    repository.granule("-rf")
    assert repository.run().returncode == 0
    assert "-rf.nc" in repository.products()


def test_name_that_is_no_utf8_fails_by_name(repository):
    os.rename(repository.granule(), os.fsencode(repository.input) + b"/CPL_\xff.hdf5")
    done = repository.run()
    assert done.returncode == 2
    assert r"product 'data' cannot be named 'CPL_\\udcff.nc'" in done.stdout


def test_name_with_a_control_character_fails_by_name(repository):
    repository.granule("CPL_\x01")
    assert "has a line break or control character" in repository.run().stdout


# --- the command line ------------------------------------------------------------------------


def test_own_path_as_first_argument_is_dropped(repository):
    repository.granule()
    own = repository.home / "process.py"
    assert repository.run_child(own, repository.input, repository.output).returncode == 0


def test_directories_are_input_and_output_by_default(repository):
    repository.granule()
    child = repository.start(cwd=repository.home.parent)
    child.communicate(timeout=60)
    assert (child.returncode, repository.products()) == (0, PRODUCTS)


def test_help_names_arguments_and_exit_statuses(repository):
    done = repository.run("--help")
    assert done.returncode == 0
    assert "A handler like the generated one." in done.stdout
    assert "3 some failed" in done.stdout


def test_handler_imports_nothing_heavy(repository):
    script = "import sys, process; print({'numpy', 'netCDF4', 'hashlib'} & set(sys.modules))"
    path = os.pathsep.join([str(SOURCE), str(repository.home)])
    argv = [sys.executable, "-c", script]
    out = subprocess.run(argv, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE)
    assert out.stdout == b"set()\n"


@pytest.mark.parametrize(
    "arguments", [["a", "b", "c"], ["--unknown"]], ids=["too many", "unknown option"]
)
def test_bad_arguments_end_with_status_2(repository, arguments):
    assert repository.run(*arguments).returncode == 2


def one_error_line(done, message):
    assert done.returncode == 2
    assert done.stderr == ""  # no traceback
    errors = [
        line for line in done.stdout.splitlines() if 'is_error="1"' in line and message in line
    ]
    assert len(errors) == 1, done.stdout


def test_absent_input_directory_is_one_line(repository):
    one_error_line(repository.run("absent", repository.output), "does not exist")


def test_empty_input_directory_is_one_line(repository):
    one_error_line(repository.run(), "holds no files")


def test_no_matching_file_is_one_line(repository):
    (repository.input / "other.txt").write_text("x")
    one_error_line(repository.run(), "matches 'CPL_*.hdf5'")


def test_absent_output_directory_is_one_line(repository):
    repository.granule()
    one_error_line(repository.run(repository.input, "absent"), "create it first")


def test_same_directory_for_both_is_refused(repository):
    repository.granule()
    one_error_line(repository.run(repository.input, repository.input), "same directory")
    assert (repository.input / "CPL_A.hdf5").exists()


def test_mistake_in_collection_toml_is_one_line(repository):
    repository.granule()
    repository.configure("seconds", "second")
    one_error_line(repository.run(), "did you mean 'seconds'")


def test_all_granules_failing_is_status_2(repository):
    repository.granule("CPL_A", "fail:")
    repository.granule("CPL_B", "fail:")
    assert repository.run().returncode == 2


def test_process_that_returns_nothing_is_status_0():
    assert main(lambda indir, outdir: None, ["process.py", "a", "b"]) == 0


def test_process_that_fails_is_status_2_and_shows_where(capsys):
    def process(indir, outdir):
        raise ZeroDivisionError("a bug")

    assert main(process, ["process.py", "a", "b"]) == 2
    out, err = capsys.readouterr()
    assert 'message="ZeroDivisionError: a bug"' in out
    assert "in process" in err


# --- the granule -----------------------------------------------------------------------------


def test_granule_gives_its_files(repository):
    repository.granule()

    def look(granule):
        inputs = {"primary": repository.input / "CPL_A.hdf5"}
        assert (granule.id, dict(granule.inputs)) == ("CPL_A", inputs)
        assert granule.home == repository.home
        assert sorted(granule.products) == ["cmr", "data", "metadata"]
        make_all(granule)

    assert process(repository, look).failed == {}


def test_copy_delivers_the_input_as_it_is(repository):
    source = repository.granule()

    def copy(granule):
        granule.copy()
        granule.check()
        granule.write_metadata()

    assert process(repository, copy).status == 0
    assert (repository.output / "CPL_A.nc").read_bytes() == source.read_bytes()


def test_product_that_was_not_made_fails_the_granule(repository):
    repository.granule()
    summary = process(repository, lambda granule: granule.copy())
    assert summary.failed == {
        "CPL_A": "product 'metadata' was not made: expected the file 'CPL_A.nc.meta.xml'"
    }
    assert repository.products() == []


def test_browse_image_that_was_not_made_names_the_line_that_makes_it(repository):
    """[products] declares it, process.py makes it."""
    repository.configure('cmr = "{id}.cmr.json"', 'browse = "{id}.png"')
    repository.granule()

    def without(granule):
        granule.copy()
        granule.write_metadata()

    reason = process(repository, without).failed["CPL_A"]
    assert reason.endswith("'CPL_A.png'; add granule.browse() to process_granule")


def test_only_declared_records_are_written(repository):
    repository.configure('cmr = "{id}.cmr.json"', "")
    repository.granule()
    repository.run()
    assert repository.products() == ["CPL_A.nc", "CPL_A.nc.meta.xml"]


def test_product_that_is_changed_after_its_records_fails_the_granule(repository):
    """The records would say the size and the hash of another file."""
    repository.granule("CPL_A")

    def make(granule):
        granule.copy()
        granule.write_metadata()
        with open(granule.products["data"], "a") as file:
            file.write("more")

    summary = process(repository, make)
    message = "product 'data' was changed after write_metadata: call that last"
    assert summary.failed == {"CPL_A": message}


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (h5py.SoftLink("/nowhere"), "is a link to nothing"),
        (h5py.Empty("f4"), "has no dataspace"),
    ],
    ids=["dangling link", "null dataspace"],
)
def test_check_says_what_of_a_sound_hdf5_file_netcdf_does_not_read(repository, thing, message):
    """The library itself only says that there is an error."""
    with h5py.File(repository.input / "CPL_A.hdf5", "w") as file:
        file["good"] = [1.0]
        file.create_group("deep")["x"] = thing

    def check(granule):
        granule.copy()
        granule.check()

    failed = process(repository, check).failed["CPL_A"]
    assert failed.startswith("product 'CPL_A.nc' does not open: NetCDF: HDF error, for '/deep/x' ")
    assert message in failed


def test_run_quotes_the_last_words_of_a_failing_program(repository):
    repository.granule()

    def run(granule):
        granule.run("sh", "-c", "echo one >&2; echo two >&2; exit 7")

    assert process(repository, run).failed == {"CPL_A": "sh failed (exit status 7): one; two"}


def test_run_of_an_absent_program_is_one_sentence(repository):
    repository.granule()
    failed = process(repository, lambda granule: granule.run("/no/such/program")).failed
    assert failed == {"CPL_A": "cannot run '/no/such/program': No such file or directory"}


def test_run_names_the_signal_that_killed(repository):
    repository.granule()
    failed = process(repository, lambda granule: granule.run("sh", "-c", "kill -SEGV $$")).failed
    assert failed == {"CPL_A": "sh failed (killed by SIGSEGV)"}


def test_run_uses_no_shell(repository):
    repository.granule()

    def run(granule):
        granule.run("touch", "a b; c")
        assert (granule.products["data"].parent / "a b; c").exists()
        make_all(granule)

    assert process(repository, run).status == 0


def test_talkative_program_does_not_block(repository):
    repository.granule()

    def run(granule):
        granule.run("sh", "-c", "head -c 3000000 /dev/zero >&2; yes | head -n 200000 >&2")
        make_all(granule)

    assert process(repository, run).status == 0


def test_child_that_stays_behind_is_killed(repository):
    repository.granule()
    pid = repository.home / "pid"

    def run(granule):
        granule.run("sh", "-c", f"sleep 1000 & echo $! > '{pid}'")
        make_all(granule)

    assert process(repository, run).status == 0
    assert gone(int(pid.read_text()))


def gone(pid, seconds=10):
    """Whether a process ends within some seconds; a zombie that nobody waits for has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_check_finds_a_product_without_variables(repository):
    netCDF4.Dataset(repository.input / "CPL_A.hdf5", "w").close()
    assert "'CPL_A.nc' holds no variables" in repository.run().stdout


def test_check_finds_variables_in_groups(repository):
    with netCDF4.Dataset(repository.input / "CPL_A.hdf5", "w") as dataset:
        dataset.createGroup("a/b").createVariable("x", "f4", ())
    assert repository.run().returncode == 0


@pytest.mark.parametrize("file_format", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_check_finds_a_product_without_values(repository, file_format):
    with netCDF4.Dataset(repository.input / "CPL_A.hdf5", "w", format=file_format) as dataset:
        dataset.createDimension("time", None)
        for name, units in (("time", "seconds since 2012-09-06"), ("x", "1")):
            dataset.createVariable(name, "f4", ("time",)).units = units
    assert "'CPL_A.nc' holds no values: each of its variables is empty" in repository.run().stdout


def test_check_is_content_with_one_value(repository):
    """A granule in which nothing of a kind was observed is none the less one."""
    with netCDF4.Dataset(repository.input / "CPL_A.hdf5", "w") as dataset:
        dataset.createDimension("time", None)
        dataset.createVariable("time", "f4", ("time",)).units = "seconds since 2012-09-06"
        dataset.createVariable("orbit", "f4", ())
    assert repository.run().returncode == 0


def test_check_finds_that_an_expected_variable_is_missing(repository):
    table = '[check]\nvariables = ["lat", "/lon", "geo/height", "ATB"]\n\n[limits]'
    repository.configure("[limits]", table)
    repository.granule("CPL_A")
    done = repository.run()
    assert done.returncode == 2
    message = "product 'CPL_A.nc' lacks 'geo/height', 'ATB' ([check] variables in collection.toml)"
    assert message in done.stdout
    repository.configure(', "geo/height", "ATB"', "")
    assert repository.run().returncode == 0


def test_text_has_none_of_the_expected_variables(repository):
    repository.configure("[limits]", '[check]\nvariables = ["lat"]\n\n[limits]')
    repository.granule(text="no NetCDF at all")
    assert "lacks 'lat'" in repository.run().stdout


@pytest.mark.parametrize("key", ["data", "metadata", "cmr"])
def test_empty_product_fails_the_granule(repository, key):
    repository.granule("CPL_A")

    def make(granule):
        make_all(granule)
        granule.products[key].write_text("")

    name = {"data": "CPL_A.nc", "metadata": "CPL_A.nc.meta.xml", "cmr": "CPL_A.cmr.json"}[key]
    message = f"product {key!r} is empty: the file {name!r} has no content"
    assert process(repository, make).failed == {"CPL_A": message}
    assert repository.products() == []


def test_check_lets_other_formats_be(repository):
    repository.granule(text="no NetCDF at all")
    assert repository.run().returncode == 0


def test_exception_nobody_foresaw_shows_where(repository, capsys):
    repository.granule()

    def bug(granule):
        raise KeyError("x")

    assert process(repository, bug).failed == {"CPL_A": "KeyError: 'x'"}
    assert 'raise KeyError("x")' in capsys.readouterr().err


def test_full_disk_is_one_sentence(repository, capsys):
    repository.granule()

    def full(granule):
        raise OSError(28, "No space left on device")

    failed = process(repository, full).failed
    assert failed["CPL_A"].startswith("no space left for the products in ")
    assert capsys.readouterr().err == ""


# --- check_output ----------------------------------------------------------------------------


def test_check_output_accepts_a_file_with_content(tmp_path):
    check_output(write_product(tmp_path / "a.nc"))


@pytest.mark.parametrize(("make", "message"), [(False, "was not made"), (True, "is empty")])
def test_check_output_logs_an_error_and_raises(tmp_path, capsys, make, message):
    from cumulus.logutils import get_logger

    get_logger()
    if make:
        (tmp_path / "a.nc").touch()
    with pytest.raises(CumulusError, match=message):
        check_output(str(tmp_path / "a.nc"))
    assert 'is_error="1"' in capsys.readouterr().out
