"""The command line: exit statuses, messages, reports, and that nothing half-written is left over."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from converter.tests.products import differences
from programs import need

USAGE, INPUT, LEFT_OUT, WRITE = 2, 3, 4, 5


@pytest.fixture
def granule(tmp_path):
    """A small sound granule."""
    path = tmp_path / "in" / "GRANULE_1.hdf5"
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(10.0)
        file.create_dataset("y", data=np.arange(1000), chunks=(100,), compression="gzip")
    return path


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_product_in_a_directory_is_named_after_the_input(plain, granule, out):
    done = plain(granule, out)
    assert (done.returncode, done.stderr, entries(out)) == (0, "", ["GRANULE_1.nc"])


def test_product_is_named_as_asked_and_replaces_an_older_one(plain, granule, out):
    (out / "other.nc").write_text("old")
    assert plain(granule, out / "other.nc").returncode == 0
    with h5py.File(out / "other.nc") as product:
        assert product["x"][3] == 3
    assert entries(out) == ["other.nc"]


@pytest.mark.parametrize("name", ["with space", "a#b", "ü", "x:y", "100%d", "-dash", "[1]", "a'b", "http:"])
def test_odd_file_and_folder_names_are_names(plain, granule, out, name):
    folder = out / name
    folder.mkdir()
    odd = granule.rename(folder / f"{name}.hdf5")
    assert plain("--", odd, folder, cwd=out).returncode == 0
    assert entries(folder) == sorted([f"{name}.hdf5", f"{name}.nc"])


def test_product_gets_the_permissions_of_the_umask(plain, granule, out):
    old = os.umask(0o027)
    try:
        plain(granule, out)
    finally:
        os.umask(old)
    assert (out / "GRANULE_1.nc").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("arguments", [[], ["x"], ["--unknown", "a", "b"], ["--batch", "a"], ["--list"],
                                       ["a", "b", "c"], ["--threads", "0", "a", "b"], ["--report"],
                                       ["--threads", "99999999999999", "a", "b"], ["--threads", "4x", "a", "b"],
                                       ["--batch", "--report", "-"], ["--batch", "--list"], ["--list", "--table", "a"],
                                       ["--table"], ["--table", "a", "b"], ["--table", "--report", "-", "a"]])
def test_wrong_usage_is_2_and_explains(plain, arguments):
    done = plain(*arguments)
    assert done.returncode == USAGE
    what, usage = done.stderr.split("\n", 1)
    assert what.startswith("_convert: ") and usage.startswith("usage: _convert")


@pytest.mark.parametrize("arguments, message", [
    ([], "missing operands: INPUT OUTPUT"),
    (["--batch", "--report", "-"],
     "--report - cannot be combined with --batch or --table, which write to standard output"),
    (["--table", "--report", "-", "a"],
     "--report - cannot be combined with --batch or --table, which write to standard output"),
    (["--list", "--table", "a"], "only one of these options may be given: --batch, --list, --table"),
    (["--table", "a", "b"], "--table takes one input, and no output"),
    (["a", "b", "c"], "the output is missing for the input: c"),
    (["--report"], "the option needs a value: --report"),
    (["--strict=yes", "a", "b"], "the option takes no value: --strict=yes"),
    (["--t", "a"], "unknown or ambiguous option: --t"),
    (["-dash.h5", "b"], "unknown option (a name that begins with a dash follows --): -d"),
    (["--threads", "4x", "a", "b"], "--threads needs a number from 1: 4x"),
], ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "")
def test_wrong_usage_names_what_is_wrong(plain, arguments, message):
    assert plain(*arguments).stderr.splitlines()[0] == f"_convert: {message}"


@pytest.mark.parametrize("option", [["--report", "r"], ["--report=r"], ["--rep", "r"]], ids=" ".join)
def test_option_is_abbreviated_or_takes_its_value_after_an_equals_sign(plain, granule, out, option):
    assert plain(*option, granule, out / "x.nc", cwd=out).returncode == 0
    assert entries(out) == ["r", "x.nc"]


def test_option_behind_a_name_is_a_name(plain, granule, out):
    """As before: the first name ends the options."""
    done = plain("--list", granule, "--strict", cwd=out)
    assert done.returncode == INPUT and "cannot read '--strict'" in done.stderr


def test_help_and_version(plain):
    assert plain("--help").stdout.startswith("usage: _convert")
    assert plain("--version").stdout == "_convert 1.0.0\n"


def test_converting_onto_the_input_is_refused(plain, granule):
    before = granule.read_bytes()
    same = granule.with_suffix(".nc")
    same.hardlink_to(granule)
    done = plain(granule, granule.parent)
    assert (done.returncode, granule.read_bytes()) == (USAGE, before)
    assert "it is the input" in done.stderr


def damage(granule, how):
    data = bytearray(granule.read_bytes())
    if how == "truncated":
        data = data[:len(data) // 2]
    elif how == "empty":
        data = b""
    elif how == "text":
        data = b"no HDF5"
    else:
        with h5py.File(granule) as file:
            offset = file["y"].id.get_chunk_info(3).byte_offset
        data[offset + 40] ^= 4
    granule.write_bytes(data)


@pytest.mark.parametrize("how", ["truncated", "empty", "text", "chunk"])
def test_damaged_input_is_3_names_the_file_or_dataset_and_leaves_nothing(plain, granule, out, how):
    damage(granule, how)
    done = plain(granule, out)
    assert (done.returncode, entries(out)) == (INPUT, [])
    assert len(done.stderr.splitlines()) == 1
    assert f"cannot read '{'/y' if how == 'chunk' else granule}'" in done.stderr


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), os.mkfifo],
                         ids=["absent", "directory", "pipe"])
def test_what_is_no_file_is_3(plain, tmp_path, out, make):
    make(tmp_path / "thing")
    done = plain(tmp_path / "thing", out)
    assert (done.returncode, entries(out)) == (INPUT, [])
    assert "cannot read" in done.stderr


def test_pipe_or_device_as_output_stays_what_it_is(plain, granule, out):
    """A rename would put a file in the place of /dev/null, too."""
    os.mkfifo(out / "x.nc")
    done = plain(granule, out / "x.nc")
    assert done.returncode == WRITE and "it is not a regular file" in done.stderr
    assert (out / "x.nc").is_fifo() and entries(out) == ["x.nc"]


def test_no_verify_passes_a_damaged_chunk_on(plain, granule, out):
    damage(granule, "chunk")
    assert plain("--no-verify", granule, out).returncode == 0


def test_absent_output_directory_is_5(plain, granule, tmp_path):
    done = plain(granule, tmp_path / "nowhere" / "x.nc")
    assert done.returncode == WRITE
    assert "No such file or directory" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere; no setpriv")
def test_unwritable_directory_is_5(plain, granule, out):
    out.chmod(0o555)
    command = [plain.program, granule, out]
    if os.geteuid() == 0:
        for folder in (*out.parents, plain.program.parent, plain.program.parents[1]):
            if str(folder).startswith("/tmp/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, entries(out)) == (WRITE, [])
    assert "Permission denied" in done.stderr


@pytest.mark.parametrize("kilobytes", [0, 2, 8, 64, 512])
def test_full_disk_is_5_and_leaves_nothing(plain, tmp_path, out, kilobytes):
    """A limit on the file's size fails the write() like a full disk, wherever it strikes."""
    granule = tmp_path / "large.h5"
    with h5py.File(granule, "w") as file:
        file["contiguous"] = np.arange(100_000.0)
        file.create_dataset("chunked", data=np.arange(100_000.0), chunks=(1000,), compression="gzip")
    done = subprocess.run(["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash", plain.program, granule, out],
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, entries(out)) == (WRITE, [])
    assert "cannot write" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small tmpfs")
def test_full_tmpfs_is_5_and_leaves_nothing(plain, tmp_path, out):
    granule = tmp_path / "large.h5"
    with h5py.File(granule, "w") as file:
        file["x"] = np.arange(300_000.0)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", out], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        done = plain(granule, out)
        assert (done.returncode, entries(out)) == (WRITE, [])
    finally:
        subprocess.run(["umount", out], check=True)


def test_a_stack_that_overflows_leaves_nothing(plain, tmp_path, out):
    """Groups within groups, and little room for them: the signal has a stack of its own."""
    with h5py.File(tmp_path / "deep.h5", "w") as file:
        file["/".join(["group"] * 400) + "/x"] = 1
    done = plain(tmp_path / "deep.h5", out,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (500_000, 500_000)))
    assert done.returncode == -signal.SIGSEGV
    assert entries(out) == []


@pytest.fixture
def started(plain, tmp_path, out):
    """Start a conversion that takes seconds, and wait until it has begun its product."""
    granule = tmp_path / "large.h5"
    with h5py.File(granule, "w") as file:
        file.create_dataset("x", data=np.random.default_rng(1).integers(0, 1000, 12_000_000), chunks=(10_000,),
                            scaleoffset=0)  # a filter that has to be decoded and deflated anew: seconds

    def start(**options):
        process = subprocess.Popen([plain.program, granule, out], **options)
        for _ in range(2000):
            if entries(out):
                break
            time.sleep(0.005)
        assert entries(out)
        return process
    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM,
                                    signal.SIGUSR1, signal.SIGPIPE])
def test_a_signal_leaves_nothing(started, out, number):
    """The program dies of the signal, so that its caller sees it, but removes what it had begun."""
    process = started()
    process.send_signal(number)
    assert process.wait(timeout=30) == -number
    assert entries(out) == []


def test_signal_that_the_caller_ignores_stays_ignored(started, out):
    """As nohup does."""
    process = started(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 0
    assert entries(out) == ["large.nc"]


@pytest.fixture
def exotic(tmp_path):
    """A granule with content that is not supported, in a name that no line of a log may break."""
    path = tmp_path / "exotic.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
        file.create_dataset("a\nb", data=[file.ref], dtype=h5py.ref_dtype)
        file["x"].attrs["reference"] = file.ref
    return path


def test_what_is_left_out_is_named_with_its_reason(plain, exotic, out):
    done = plain(exotic, out)
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["_convert: left out '/a?b': reference: not supported",
                                        "_convert: left out '/x:reference': reference: not supported"]


def test_strict_makes_that_a_failure(plain, exotic, granule, out):
    done = plain("--strict", exotic, out)
    assert (done.returncode, entries(out)) == (LEFT_OUT, [])
    assert plain("--strict", granule, out).returncode == 0


def test_what_the_table_drops_is_noted_and_no_failure(build, starter_table, sample, out):
    converter = build(starter_table.replace('"/RH", ""', '"/RH", DROP'))
    done = converter("--strict", sample[0][0], out / "x.nc")
    assert (done.returncode, done.stderr) == (0, "_convert: note: '/RH': dropped by the table\n")


def test_report_is_json_a_line(plain, exotic, granule, out, tmp_path):
    done = plain("--report", tmp_path / "report", exotic, out, granule, out)
    assert done.returncode == 0
    first, second = map(json.loads, (tmp_path / "report").read_text().splitlines())
    assert first["variables"] == [{"path": "/x", "name": "/x"}]
    assert first["left_out"] == [{"path": "/a\nb", "reason": "reference: not supported"},
                                 {"path": "/x", "attribute": "reference", "reason": "reference: not supported"}]
    assert (second["input"], second["status"], len(second["variables"])) == (str(granule), 0, 2)


def test_list_says_what_would_become_of_each_and_writes_nothing(plain, exotic, out):
    done = plain("--list", exotic, cwd=out)
    assert (done.returncode, entries(out)) == (0, [])
    assert done.stdout.splitlines() == ["left out '/a?b': reference: not supported",
                                        "left out '/x:reference': reference: not supported",
                                        "variable '/x': /x  int64  (dim_3=3)"]


def test_one_bad_input_of_many_does_not_stop_the_others(plain, granule, out, tmp_path):
    (tmp_path / "bad.h5").write_text("no")
    done = plain(tmp_path / "bad.h5", out, granule, out)
    assert (done.returncode, entries(out)) == (INPUT, ["GRANULE_1.nc"])


def test_batch_answers_each_pair_at_once(plain, granule, out, tmp_path):
    """The answer comes while the input stays open, so that the caller can go on with the product."""
    (tmp_path / "bad.h5").write_text("no")
    process = subprocess.Popen([plain.program, "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)

    def ask(source, product):
        process.stdin.write(f"{source}\0{product}\0")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    bad = ask(tmp_path / "bad.h5", out / "bad.nc")
    good = ask(granule, out / "new\nline.nc")
    assert bad["status"] == 3
    assert bad["message"].startswith(f"cannot read '{tmp_path}/bad.h5': it is a text file: ")
    assert (good["status"], good["output"]) == (0, str(out / "new\nline.nc"))
    assert entries(out) == ["new\nline.nc"]
    process.stdin.close()
    assert process.wait(timeout=10) == 0
    process.stdout.close()
    process.stderr.close()


def test_batch_with_a_broken_off_name_is_2(plain, granule, out):
    """Its caller died in the middle of it: no product appears under half a name."""
    done = plain("--batch", input=f"{granule}\0{out}/prod")
    assert (done.returncode, done.stderr) == (2, "_convert: standard input ends within a pair of names\n")
    assert entries(out) == []


def test_two_inputs_of_one_product_are_refused(plain, granule, out, tmp_path):
    """The later would replace the earlier; nothing is converted."""
    other = tmp_path / f"{granule.stem}.h5"
    shutil.copy(granule, other)
    done = plain(granule, out, other, out)
    assert done.returncode == USAGE
    assert done.stderr == f"_convert: '{granule}' and '{other}' would both become '{out}/{granule.stem}.nc'\n"
    assert entries(out) == []


def test_list_that_cannot_be_written_is_5(plain, granule):
    with open("/dev/full", "w") as full:
        done = subprocess.run([plain.program, "--list", granule], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert (done.returncode, done.stderr) == (5, "_convert: cannot write the list: No space left on device\n")


def test_report_that_cannot_be_written_is_5_and_named(plain, granule, out):
    done = plain("--report", "/dev/full", granule, out)
    assert done.returncode == 5 and "_convert: cannot write /dev/full: No space left on device" in done.stderr


def test_report_of_a_batch_that_cannot_be_written_is_5(plain, granule, out):
    """The answers say that the products are there; the report is what its reader misses."""
    done = plain("--batch", "--report", "/dev/full", input=f"{granule}\0{out}\0")
    assert done.returncode == WRITE and json.loads(done.stdout)["status"] == 0
    assert "_convert: cannot write /dev/full: No space left on device" in done.stderr


@pytest.mark.parametrize("how", ["input", "batch", "product"])
def test_report_never_replaces_an_input_or_a_product(plain, granule, out, how):
    before = granule.read_bytes()
    report = granule
    if how == "product":
        assert plain(granule, out / "x.nc").returncode == 0
        report = out / "x.nc"
    before = report.read_bytes()
    names = ["--batch"] if how == "batch" else [granule, out / "x.nc"]
    done = plain("--report", report, *names, input=f"{granule}\0{out}\0")
    assert (done.returncode, report.read_bytes()) == (USAGE, before)
    assert f"_convert: cannot write '{report}': the file exists and is not a report" in done.stderr


def test_product_never_replaces_the_report(plain, granule, out):
    done = plain("--report", out / "x.nc", granule, out / "x.nc")
    assert done.returncode == USAGE and "it is the report" in done.stderr
    assert json.loads((out / "x.nc").read_text())["status"] == USAGE


def test_report_replaces_an_older_one(plain, granule, out, tmp_path):
    for _ in range(2):
        assert plain("--report", tmp_path / "report", granule, out).returncode == 0
    assert len((tmp_path / "report").read_text().splitlines()) == 1


def test_one_product_under_two_names_is_noticed(plain, granule, out, tmp_path):
    other = tmp_path / "other.h5"
    shutil.copy(granule, other)
    (tmp_path / "link").symlink_to(out)
    for one, two in ((out / "x.nc", f"{out}/./x.nc"), (out / "x.nc", tmp_path / "link" / "x.nc"), ("y.nc", "./y.nc")):
        done = plain(granule, one, other, two, cwd=out)
        assert done.returncode == USAGE and "would both become" in done.stderr and entries(out) == []


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_standard_file_is_not_taken_for_another(plain, exotic, out, tmp_path, closed):
    """The next file that is opened would have its number: messages would go into the report, or the product."""
    done = plain("--report", tmp_path / "report", exotic, out, preexec_fn=lambda: os.close(closed))
    assert done.returncode == 0
    assert len(json.loads((tmp_path / "report").read_text())["left_out"]) == 2


def test_list_of_several_inputs_says_which(plain, granule, exotic):
    done = plain("--list", granule, exotic)
    lines = done.stdout.splitlines()
    assert lines[0] == f"{granule}:" and lines[lines.index("") + 1] == f"{exotic}:"


def test_batch_with_half_a_pair_is_2(plain, granule):
    done = plain("--batch", input=f"{granule}\0")
    assert done.returncode == USAGE


def test_batch_gives_the_same_products_as_a_process_each(starter, sample, out):
    text = "".join(f"{granule}\0{out / str(number)}.nc\0" for number, (granule, _) in enumerate(sample * 3))
    done = starter("--batch", input=text)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == [0] * 6
    for number, (_, expected) in enumerate(sample * 3):
        assert differences(expected, out / f"{number}.nc") == []


def test_makefile_names_the_packages_that_are_missing(tmp_path, plain):
    """In one sentence, with the command that installs them."""
    sources = plain.program.parent / "convert"
    done = subprocess.run([need("make"), "-C", sources, "-B", "CC=absent-cc", f"PKG_CONFIG_LIBDIR={tmp_path}"],
                          env={**os.environ, "PKG_CONFIG_LIBDIR": str(tmp_path)}, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode != 0
    assert "apt-get install gcc libnetcdf-dev libhdf5-dev libdeflate-dev\n" in done.stderr
