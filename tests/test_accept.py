"""bin/accept-products: new expected products are shown, given a reason, and replaced together or not at all."""

import fcntl
import json
import os
import pty
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import termios
import time

import netCDF4
import pytest
from cumulus.image_sources import record_sources
from support import commit_all, git, run

ATB = "HS3_CPL_ATB_12203a_20120906"
BECAUSE = ("--yes", "--because", "the units were wrong")


@pytest.fixture
def project(default_project, tmp_path):
    """A rendered repository whose products are the expected ones."""
    folder = tmp_path / default_project.name
    shutil.copytree(default_project, folder)
    for path in (folder / "data/output").iterdir():
        shutil.copy(path, folder / "data/test-output")
    return folder


def accept(project, *arguments, check=False, **options):
    return run(sys.executable, project / "bin/accept-products", *arguments, check=check, **options)


def change(project, name=f"{ATB}.nc"):
    """Give the product another unit and a comment that makes it larger."""
    with netCDF4.Dataset(project / "data/test-output" / name, "a") as dataset:
        dataset["ATB_532"].units = "m-1 sr-1"
        dataset["ATB_532"].comment = "x" * 2000


def tree(folder):
    """Content of every file by name, without what accept-products keeps for itself."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name != ".known.sha256"}


def fetched(project, *arguments):
    return run(sys.executable, project / "bin/fetch-data", *arguments, check=False)


def test_change_is_shown_with_size_and_first_difference(project):
    """The command shows kind, name, both sizes and the first difference before it asks."""
    change(project)
    (project / "data/test-output" / f"{ATB}.cmr.json").unlink()
    (project / "data/test-output/added.txt").write_text("new")
    shown = accept(project).stdout
    before, after = ((project / "data" / folder / f"{ATB}.nc").stat().st_size for folder in ("output", "test-output"))
    assert f"changed  {ATB}.nc  {before:,} -> {after:,} bytes" in shown
    assert "           /ATB_532: attribute " in shown
    assert f"gone     {ATB}.cmr.json" in shown and "new      added.txt  3 bytes" in shown
    assert shown.endswith("4 products are the same\n")
    for name in sorted(path.name for path in (project / "data/test-output").glob("HS3*"))[2:]:
        (project / "data/test-output" / name).unlink()
    assert accept(project).stdout.endswith("\n1 product is the same\n")


def test_accepted_products_manifest_and_reason_agree(project):
    """data/output equals data/test-output, the manifest records it, and ACCEPTED.md gives the reason."""
    change(project)
    (project / "data/test-output" / f"{ATB}.cmr.json").unlink()
    accept(project, *BECAUSE, check=True)
    assert tree(project / "data/output") == tree(project / "data/test-output")
    assert fetched(project, "--check").returncode == 0
    reason = (project / "data/ACCEPTED.md").read_text()
    assert "the units were wrong" in reason and f"- changed `{ATB}.nc`" in reason
    assert f"- gone `{ATB}.cmr.json`" in reason


def test_reasons_are_kept_newest_first(project):
    change(project)
    accept(project, *BECAUSE, check=True)
    (project / "data/test-output/added.txt").write_text("new")
    accept(project, "--yes", "--because", "a second reason", check=True)
    text = (project / "data/ACCEPTED.md").read_text()
    assert 0 < text.index("a second reason") < text.index("the units were wrong")
    assert text.count("# Why the expected products are what they are") == 1


def test_reviewer_sees_manifest_and_reason_in_git(project):
    """Git holds these two files of data/ and no other."""
    git(project, "init", "--quiet")
    commit_all(project, "Start")
    change(project)
    accept(project, *BECAUSE, check=True)
    shown = run("git", "-C", project, "status", "--porcelain", "--untracked-files=all").stdout.split("\n")
    assert [line for line in shown if line] == [" M data/MANIFEST.sha256", "?? data/ACCEPTED.md"]


def test_product_that_differs_within_the_rules_stays(project):
    """A new time stamp does not change the manifest that a reviewer reads."""
    record = project / "data/test-output" / f"{ATB}.nc.meta.xml"
    record.write_text(record.read_text().replace("<InsertTime>", "<InsertTime>1"))
    before = tree(project / "data/output")
    done = accept(project, *BECAUSE, check=True)
    assert "nothing to accept" in done.stdout and "1 differ only in what [compare] ignores" in done.stdout
    assert tree(project / "data/output") == before
    accept(project, "--all", *BECAUSE, check=True)
    assert (project / "data/output" / record.name).read_bytes() == record.read_bytes()


def test_mistake_in_the_rules_stops_it(project):
    """Without rules the command would accept every volatile value."""
    change(project)
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace("\nrtol", "\nrtoll", 1))
    before = tree(project / "data")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and tree(project / "data") == before
    assert done.stderr.startswith("bin/accept-products: the comparison failed: ") and "'rtoll'" in done.stderr


def test_dot_entries_are_never_accepted(project):
    hidden = project / "data/test-output/.cumulus"
    hidden.mkdir()
    (hidden / "state").write_text("x")
    (project / "data/test-output/.secret").write_text("x")
    assert "nothing to accept" in accept(project, check=True).stdout
    change(project)
    accept(project, *BECAUSE, check=True)
    assert not [name for name in tree(project / "data/output") if name.startswith(".")]


@pytest.mark.parametrize("name", ["line\nbreak.nc", b"\xff.nc"], ids=["line break", "no text"])
def test_name_that_no_manifest_can_hold_is_refused(project, name):
    path = os.path.join(os.fsencode(project / "data/test-output"), os.fsencode(name))
    with open(path, "w") as stream:
        stream.write("x")
    before = tree(project / "data/output")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and "the manifest cannot hold the file name" in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(project / "data/output") == before


@pytest.mark.parametrize("name", ["--yes", "a | b `c` ``d``.txt", "<img src=x>.txt", " spaces .txt"])
def test_odd_name_is_data(project, name):
    """The product is accepted and recorded, and ACCEPTED.md shows its name as code."""
    (project / "data/test-output" / name).write_text("x")
    accept(project, *BECAUSE, check=True)
    assert (project / "data/output" / name).read_text() == "x"
    assert fetched(project, "--check").returncode == 0
    line = (project / "data/ACCEPTED.md").read_text().split("- new ")[1]
    fence = line[:len(line) - len(line.lstrip("`"))]
    assert fence and fence not in name and name in line[len(fence):].split(fence)[0]


def test_without_a_terminal_nothing_is_accepted_unasked(project):
    change(project)
    before = tree(project / "data")
    done = accept(project)
    assert done.returncode == 2 and "--yes --because" in done.stderr and tree(project / "data") == before


def test_reason_is_needed(project):
    change(project)
    for arguments in (["--yes"], ["--yes", "--because", " \n "]):
        done = accept(project, *arguments)
        assert done.returncode == 2 and "--because" in done.stderr
    assert not (project / "data/ACCEPTED.md").exists()


@pytest.mark.parametrize("because", ["n", "No", "yes", "Y!", "ok", "-", "1"])
def test_answer_is_no_reason(project, because):
    """The command refuses yes and no as reasons, with --yes and without."""
    change(project)
    before = tree(project / "data")
    for arguments in ((), ("--yes",)):
        done = accept(project, *arguments, f"--because={because}")
        assert done.returncode == 2 and f"{because!r} is no reason: say in a few words why" in done.stderr
    assert tree(project / "data") == before


@pytest.mark.parametrize("image", [False, True], ids=["native", "image"])
@pytest.mark.parametrize("name", ["process.py", "collection.toml", "convert/hs3_cpl2nc.c", "src/new.py"])
def test_products_of_changed_sources_are_refused(project, name, image):
    """The record of a run decides: of the sources in the repository, or of those in the image."""
    home = project.with_name("image") if image else project
    if image:  # as its Dockerfile makes it
        sources = ["Dockerfile", "apt.txt", "collection.toml", "convert", "process.py", "requirements.txt", "src"]
        home.mkdir()
        lines = run("sh", "-c", "find \"$@\" -type f -exec sha256sum {} +", "sh", *sources, cwd=project).stdout
        (home / ".sources.sha256").write_text(lines.replace("  ", "  /context/"))
    (project / "data/test-output/.cumulus").mkdir()
    record_sources(home, project / "data/test-output")
    change(project)
    path = project / name
    former = path.read_bytes() if path.exists() else None
    path.write_bytes((former or b"") + b"\n")
    before = tree(project / "data")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and f"the products are out of date: {name} changed since" in done.stderr
    assert tree(project / "data") == before
    path.write_bytes(former) if former is not None else path.unlink()
    accept(project, *BECAUSE, check=True)


def test_nothing_made_is_not_taken_for_everything_gone(project):
    for path in (project / "data/test-output").iterdir():
        path.unlink()
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and "holds no products" in done.stderr
    assert len(tree(project / "data/output")) == 6


GRANULE = '{"granule": "%s", "status": "%s", "error": %s}'
SUMMARY = '{"summary": {"granules": 2, "interrupted": 0, "not_started": %d}}'


@pytest.mark.parametrize("lines, message", [
    ([GRANULE % ("A", "processed", "null"), GRANULE % (ATB, "failed", '"no time"'), SUMMARY % 0],
     f"failed for granule '{ATB}': no time"),
    ([GRANULE % ("A", "processed", "null"), '{"granule": "B", "sta'], "interrupted"),
    ([GRANULE % ("A", "processed", "null"), SUMMARY % 1], "interrupted"),
], ids=["failed", "killed", "interrupted"])
def test_products_of_a_run_that_failed_are_refused(project, lines, message):
    """The newest report in .cumulus says that the run failed; products that it did not make are not gone."""
    state = project / "data/test-output/.cumulus"
    state.mkdir()
    (state / "report-20261122T120000Z-00000000.jsonl").write_text(SUMMARY % 0)
    os.utime(state / "report-20261122T120000Z-00000000.jsonl", (1, 1))
    (state / "report-20261122T120001Z-00000000.jsonl").write_text("\n".join(lines))
    (project / "data/test-output" / f"{ATB}.nc").unlink()
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and message in done.stderr and "process again first" in done.stderr
    assert (project / "data/output" / f"{ATB}.nc").exists()


def test_products_that_the_last_run_did_not_write_are_refused(project):
    """`cumulus test` records what the run wrote; later products count, too."""
    change(project)
    product = project / f"data/test-output/{ATB}.nc"
    record = project / "data/test-output/.cumulus/left-over.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({"sub/gone.nc": 1, product.name: product.stat().st_mtime_ns}))
    before = tree(project / "data/output")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and f"did not write data/test-output/{ATB}.nc: process again" in done.stderr
    assert tree(project / "data/output") == before
    os.utime(product)
    accept(project, *BECAUSE, check=True)


def test_link_to_nowhere_is_no_product(project):
    (project / "data/test-output/dangling.nc").symlink_to("absent")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2
    assert "data/test-output/dangling.nc is a link, and products are regular files: remove it" in done.stderr


def test_expected_product_that_was_not_fetched_is_named(project):
    """The comparison counts a broken link of git-annex or DVC; the command names it as well."""
    (project / "data/output/unfetched.nc").symlink_to("absent")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and "data/output/unfetched.nc is not a regular file: fetch" in done.stderr


@pytest.mark.parametrize("link", ["sub", f"{ATB}.nc", ".cumulus", ".cumulus/left-over.json", ".cumulus/sources.sha256",
                                  ".cumulus/report-20261122T120000Z-0.jsonl"])
def test_link_among_what_a_run_wrote_is_refused(project, tmp_path, link):
    """A program in a container could plant it: nothing that it leads to is read, copied or changed."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/file").write_text("token")
    path = project / "data/test-output" / link
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(tmp_path / "secret" if link in ("sub", ".cumulus") else tmp_path / "secret/file")
    before = tree(project / "data/output")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and f"data/test-output/{link} is " in done.stderr and "remove it" in done.stderr
    assert "token" not in done.stdout + done.stderr and len(done.stderr.splitlines()) == 1
    assert tree(project / "data/output") == before and tree(tmp_path / "secret") == {"file": b"token"}


def test_pipe_in_the_records_of_a_run_holds_nothing_up(project):
    """Reading it would wait for ever."""
    (project / "data/test-output/.cumulus").mkdir()
    os.mkfifo(project / "data/test-output/.cumulus/left-over.json")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and "left-over.json is neither a regular file nor a folder: remove it" in done.stderr


def test_expected_products_in_a_linked_folder_are_not_changed_there(project, tmp_path):
    """No single step could exchange what the link leads to."""
    (project / "data/test-output/sub").mkdir()
    (project / "data/test-output/sub/added.txt").write_text("newer")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/added.txt").write_text("old")
    (project / "data/output/sub").symlink_to(tmp_path / "elsewhere")
    done = accept(project, *BECAUSE)
    assert done.returncode == 2 and "data/output/sub is a link" in done.stderr
    assert (tmp_path / "elsewhere/added.txt").read_text() == "old"


def test_file_takes_the_place_of_a_folder_and_the_other_way_round(project):
    keep_in_repository(project)
    (project / "data/test-output/folder").mkdir()
    (project / "data/test-output/folder/x.txt").write_text("x")
    (project / "data/test-output/two").write_text("x")
    accept(project, *BECAUSE, check=True)
    shutil.rmtree(project / "data/test-output/folder")
    (project / "data/test-output/folder").write_text("x")
    (project / "data/test-output/two").unlink()
    (project / "data/test-output/two").mkdir()
    (project / "data/test-output/two/x.txt").write_text("x")
    accept(project, *BECAUSE, check=True)
    for folder in ("data/output", "tests/sample/output"):
        assert tree(project / folder) == tree(project / "data/test-output")


def test_last_run_is_the_latest_by_name(project):
    """The name of a report decides, since cp -r changes the times of files."""
    state = project / "data/test-output/.cumulus"
    state.mkdir()
    (state / "report-20261122T120001Z-00000000.jsonl").write_text(SUMMARY % 0)
    (state / "report-20261122T120000Z-ffffffff.jsonl").write_text(GRANULE % (ATB, "failed", '"no time"'))
    os.utime(state / "report-20261122T120001Z-00000000.jsonl", (1, 1))
    assert accept(project).returncode == 0


def test_closed_standard_input_is_no_terminal(project):
    change(project)
    done = run("sh", "-c", '"$0" "$1" <&-', sys.executable, project / "bin/accept-products", check=False)
    assert done.returncode == 2 and "there is no terminal" in done.stderr and "Traceback" not in done.stderr


def test_closed_standard_output_does_not_keep_it_from_its_work(project):
    change(project)
    command = '"$0" "$@" >&-'
    done = run("sh", "-c", command, sys.executable, project / "bin/accept-products", *BECAUSE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "data/ACCEPTED.md").exists()


@pytest.mark.parametrize("name, status", [("ACCEPTED.md", 2), ("MANIFEST.sha256", 2),
                                          ("test-output/.cumulus/report-20261122T120000Z-0.jsonl", 2)])
def test_bytes_that_are_no_text_are_one_sentence(project, name, status):
    change(project)
    (project / "data/test-output/.cumulus").mkdir()
    (project / "data" / name).write_bytes(b"\xff\xfe\n")
    before = tree(project / "data")
    done = accept(project, *BECAUSE)
    assert done.returncode == status and "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    assert tree(project / "data") == before


def test_expected_product_that_somebody_edited_is_named(project):
    """The manifest takes its new hash, and both terminal and record name the product."""
    change(project)
    edited = sorted((project / "data/output").glob("HS3_CPL_OP*.nc"))[0]
    shutil.copy(edited, project / "data/test-output")
    with netCDF4.Dataset(edited, "a") as dataset:
        dataset.history = "edited by hand"
    line = f"recorded too: data/output/{edited.name} (changed)"
    assert line in accept(project, *BECAUSE, check=True).stdout
    assert line in (project / "data/ACCEPTED.md").read_text()


def on_a_terminal(project, answers, *arguments):
    """Run with a terminal and answer each question; returns the exit status and the output."""
    master, slave = pty.openpty()

    def take_terminal():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background process ignores SIGINT otherwise
        fcntl.ioctl(0, termios.TIOCSCTTY)

    child = subprocess.Popen([sys.executable, project / "bin/accept-products", *arguments], stdin=slave, stdout=slave,
                             stderr=slave, start_new_session=True, preexec_fn=take_terminal)
    os.close(slave)
    shown, asked, deadline, answers = b"", 0, time.monotonic() + 60, list(answers)
    questions = [b"[y/N] ", b"accept nothing\r\n> "]
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.1)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the terminal closes with the program
                break
        if answers and questions[0] in shown:
            os.write(master, answer := answers.pop(0))
            questions, asked = questions[1:] or questions, time.monotonic()
        elif asked and answer == b"\x03" and time.monotonic() > asked + 2:  # Python may miss a signal just before
            os.write(master, answer)
            asked = time.monotonic()
    status = child.wait(timeout=60)
    os.close(master)
    return status, shown.decode()


@pytest.mark.parametrize("arguments, answers, status", [
    ((), (b"y\n", b"seen in the plots\n"), 0), ((), (b"yes\n", b"\n"), 1), ((), (b"n\n",), 1), ((), (b"no\n",), 1),
    ((), (b"\n",), 1), ((), (b"y\n", b"n\n"), 2), ((), (b"y\n", b"No.\n"), 2), ((), (b"y\n", b"yes\n"), 2),
    ((), (b"\x04",), 1), ((), (b"y\n", b"\x04"), 1), ((), (b"\x03",), 130), ((), (b"a reason\n",), 1),
    (("--because", "seen"), (b"y\n",), 0), (("--because", "seen"), (b"\n",), 1),
], ids=["reason", "no reason", "n", "no", "nothing", "reason n", "reason No.", "reason yes", "end of input",
        "end of input for the reason", "Ctrl-C", "reason for an answer", "given, yes", "given, no"])
def test_person_is_asked(project, arguments, answers, status):
    """Only yes together with a reason accepts products."""
    change(project)
    before = tree(project / "data/output")
    ended, shown = on_a_terminal(project, answers, *arguments)
    assert ended == status, shown
    assert ("is no reason" in shown) == (status == 2)
    assert (tree(project / "data/output") != before) == (status == 0)
    assert "Traceback" not in shown
    assert not [path for path in (project / "data").iterdir() if "accepting" in path.name]


def test_doubts_are_shown_before_a_person_is_asked(project):
    """The line about CF with its command, and the lines of the starter sample's texts; nothing is refused."""
    with netCDF4.Dataset(project / f"data/test-output/{ATB}.nc", "a") as dataset:
        dataset["ATB_532"].units = "no unit of anything"
    ended, shown = on_a_terminal(project, (b"y\n", b"seen\n"))
    assert ended == 0, shown
    doubts = shown.partition("Accept? [y/N]")[0]
    assert re.search(r"CF: 1 error: bin/cumulus check .*data/test-output/HS3", doubts), doubts
    assert "STARTER SAMPLE: products still get the starter sample's texts of convert/hs3cpl2nc.c, line " in doubts
    table = project / "convert/hs3cpl2nc.c"
    table.write_text(table.read_text().replace("STARTER SAMPLE", "our own"))
    assert "STARTER SAMPLE" not in on_a_terminal(project, (b"n\n",))[1]


def test_removed_starter_files_are_one_line(project):
    """Their names are in the record for the reviewer, and not on the terminal."""
    for folder in ("input", "output", "test-output"):
        for path in (project / "data" / folder).glob("[!.]*"):
            path.unlink()
    (project / "data/test-output/own.txt").write_text("own")
    shown = accept(project, *BECAUSE, check=True).stdout
    assert "  recorded too: 8 files are gone from data/input and data/output\n" in shown
    assert "(gone)" not in shown and "data/input/" not in shown
    assert (project / "data/ACCEPTED.md").read_text().count("(gone)") == 8


def test_full_disk_changes_nothing(project):
    """A limit on the size of files makes the write fail in the middle of a product."""
    (project / "data/test-output/large.bin").write_bytes(b"x" * 3_000_000)
    before = tree(project / "data")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    done = subprocess.run([sys.executable, project / "bin/accept-products", *BECAUSE], preexec_fn=limit, timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "File too large" in done.stderr and "Traceback" not in done.stderr
    assert "cannot prepare the new data/output" in done.stderr and "nothing was changed" in done.stderr
    assert tree(project / "data") == before


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_kill_at_any_moment_leaves_all_of_the_old_or_all_of_the_new(project, seed):
    """After kill -9, data/output is old or new as a whole, and the next run completes the rest."""
    change(project)
    for number in range(40):
        (project / f"data/test-output/{number}.bin").write_bytes(os.urandom(200_000))
    old, new = (tree(project / "data" / folder) for folder in ("output", "test-output"))
    child = subprocess.Popen([sys.executable, project / "bin/accept-products", *BECAUSE], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((project / "data").glob(".output.accepting*")) and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    time.sleep(random.Random(seed).uniform(0, 0.25))
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=60)
    assert tree(project / "data/output") in (old, new)
    recorded = fetched(project)
    assert tree(project / "data/output") in (old, new)
    assert recorded.returncode == 0, recorded.stderr
    assert (tree(project / "data/output") == new) == (project / "data/ACCEPTED.md").exists()
    left = {path.name for path in (project / "data").iterdir()}
    assert left <= {"input", "output", "test-output", "MANIFEST.sha256", ".known.sha256", "ACCEPTED.md"}


DIES = """
import os, sys
from cumulus.__main__ import main
from cumulus.sample import exchange
steps, last, way = 0, int(sys.argv[1]), sys.argv[2]
def dying(function):
    def step(*arguments, **options):
        global steps
        if steps == last:
            os._exit(9)
        steps += 1
        return function(*arguments, **options)
    return step
if way == "two-steps":
    exchange.exchanged_by_system = lambda new, old: False
from pathlib import Path
Path.rename, Path.replace = dying(Path.rename), dying(Path.replace)
exchange.fsync, exchange.shutil.rmtree = dying(exchange.fsync), dying(exchange.shutil.rmtree)
sys.exit(main(["accept", "--yes", "--because", "x"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["exchange", "two-steps"])
def test_death_at_every_step_is_completed_or_undone(project, way):
    """The program ends before each rename, synchronisation and removal in turn, with or without exchanging folders."""
    change(project)
    old, new = (tree(project / "data" / folder) for folder in ("output", "test-output"))
    saved = project.with_name("saved")
    shutil.copytree(project / "data", saved)
    seen = set()
    for step in range(100):
        done = run(sys.executable, "-c", DIES, step, way, cwd=project, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == 9, done.stderr
        recorded = fetched(project)
        assert recorded.returncode == 0, f"step {step}: {recorded.stderr}"
        now = tree(project / "data/output")
        assert now in (old, new), f"step {step}"
        seen.add(now == new)
        shutil.rmtree(project / "data")
        shutil.copytree(saved, project / "data")
    assert step > 10 and seen == {True, False}


def test_second_program_waits_its_turn(project):
    """Two programs never accept products at the same time."""
    folder = os.open(project / "data", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        done = accept(project, *BECAUSE)
    finally:
        os.close(folder)
    assert done.returncode == 2 and "another bin/accept-products" in done.stderr


def test_expected_products_may_lie_on_another_disk(project, tmp_path):
    """data/output as a link: the folder that it leads to is replaced, and the link stays."""
    elsewhere = tmp_path / "large disk"
    shutil.move(project / "data/output", elsewhere)
    (project / "data/output").symlink_to(elsewhere)
    change(project)
    accept(project, *BECAUSE, check=True)
    assert (project / "data/output").is_symlink()
    assert tree(elsewhere) == tree(project / "data/test-output")


@pytest.mark.parametrize("name, target, sentence", [
    ("output", "absent",
     "data/output is a link to 'absent', which is not a folder: make that folder, or remove the link"),
    ("input", "../LICENSE", "data/input is a link to '../LICENSE', which is not a folder"),
    ("output", "test-output", "data/output leads into data/test-output: each of them needs a folder of its own"),
])
def test_link_that_cannot_serve_is_refused(project, name, target, sentence):
    """Before anything is fetched or accepted."""
    shutil.rmtree(project / "data" / name)
    (project / "data" / name).symlink_to(target)
    before = tree(project)
    for program, status in {"fetch-data": 1, "accept-products": 2}.items():
        done = run(sys.executable, project / "bin" / program, check=False)
        assert (done.returncode, done.stderr.startswith(f"bin/{program}: {sentence}")) == (status, True), done.stderr
    assert tree(project) == before


def test_sample_is_fetched_into_linked_folders(project, tmp_path):
    """data/input and data/output may both lead to another disk."""
    for name in ("input", "output"):
        shutil.rmtree(project / "data" / name)
        (tmp_path / "disk" / name).mkdir(parents=True)
        (project / "data" / name).symlink_to(tmp_path / "disk" / name)
    assert fetched(project).returncode == 0
    assert tree(tmp_path / "disk") == tree(project / "tests/sample")


def keep_in_repository(project):
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace('uri = ""', 'uri = "tests/sample"'))


def test_sample_in_the_repository_follows_and_a_clone_gets_it(project, tmp_path):
    """[sample] uri = "tests/sample": accept, commit, clone, and the clone has the accepted products."""
    keep_in_repository(project)
    change(project)
    (project / "data/test-output" / f"{ATB}.cmr.json").unlink()
    (project / "data/input/own.hdf5").write_text("an input of my own")
    done = accept(project, *BECAUSE, check=True)
    assert "data/input/own.hdf5 (new)" in done.stdout
    git(project, "init", "--quiet")
    commit_all(project, "Accept")
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", project, clone)
    run(sys.executable, clone / "bin/fetch-data")
    for folder in ("input", "output"):
        assert tree(clone / "data" / folder) == tree(project / "data" / folder)


def test_sample_that_cannot_follow_is_said_and_the_next_run_completes_it(project):
    """The message says that the products are accepted, although the sample could not follow."""
    keep_in_repository(project)
    change(project)
    sample = project / "tests/sample/output"
    shutil.rmtree(sample)
    sample.write_text("in the way")
    done = accept(project, *BECAUSE)
    assert done.returncode == 3 and "the products are accepted, but " in done.stderr, done.stderr
    assert tree(project / "data/output") == tree(project / "data/test-output")
    sample.unlink()
    assert accept(project).returncode == 0
    assert tree(sample) == tree(project / "data/output")
    assert not [path for path in (project / "data").iterdir() if "accepting" in path.name]


def test_what_a_killed_copy_left_in_the_sample_is_removed(project):
    keep_in_repository(project)
    left = project / "tests/sample/output/.4711.part"
    left.write_text("half")
    change(project)
    accept(project, *BECAUSE, check=True)
    assert not left.exists()


def test_colleague_gets_newly_accepted_products_with_git_pull(project, tmp_path):
    """bin/fetch-data replaces files that it fetched before, and keeps the colleague's own."""
    keep_in_repository(project)
    git(project, "init", "--quiet")
    commit_all(project, "Start")
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", project, clone)
    run(sys.executable, clone / "bin/fetch-data")
    change(project)
    accept(project, *BECAUSE, check=True)
    commit_all(project, "Accept")
    git(clone, "pull", "--quiet")
    own = sorted((clone / "data/input").iterdir())[0]
    own.write_text("mine")
    done = fetched(clone)
    assert tree(clone / "data/output") == tree(project / "data/output")
    assert own.read_text() == "mine" and f"data/input/{own.name} differs" in done.stderr


def test_sample_folder_that_lags_behind_is_named_and_mended(project):
    """If the uri is written after products were accepted, the older sample overwrites none of them."""
    change(project)
    accept(project, *BECAUSE, check=True)
    keep_in_repository(project)
    accepted = tree(project / "data/output")
    done = fetched(project)
    assert done.returncode == 1 and f"tests/sample/output/{ATB}.nc is not what" in done.stderr
    assert tree(project / "data/output") == accepted
    assert "brought up to date" in accept(project, check=True).stdout
    assert fetched(project).returncode == 0 and tree(project / "tests/sample/output") == accepted


@pytest.mark.parametrize("uri", ["/etc", "../elsewhere", "data", "data/output", ".", "https://example.org/x", ".git",
                                 "LICENSE"])
def test_sample_folder_outside_of_the_repository_is_refused(project, uri):
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace('uri = ""', f'uri = "{uri}"'))
    for program in ("fetch-data", "accept-products"):
        done = run(sys.executable, project / "bin" / program, check=False)
        assert done.returncode != 0 or program == "accept-products", program
        assert "[sample] uri must be" in done.stderr, program


def test_mistake_in_the_uri_is_known_before_anything_changes(project):
    change(project)
    rules = project / "collection.toml"
    rules.write_text(rules.read_text().replace('uri = ""', 'uri = "http://example.org"'))
    before = tree(project / "data")
    assert accept(project, *BECAUSE).returncode == 2
    assert tree(project / "data") == before and not (project / "data/.accepting").exists()


def test_own_tests_fail_for_a_product_that_the_last_run_did_not_write(project):
    """The tests agree with service `test`, although a product of an earlier run exists."""
    product = project / f"data/test-output/{ATB}.nc"
    record = project / "data/test-output/.cumulus/left-over.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({product.name: product.stat().st_mtime_ns}))
    done = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests", "-k", "as_expected", cwd=project,
               check=False)
    assert "1 failed" in done.stdout and f"{ATB}.nc: missing this run did not write it" in done.stdout


# One of the repository's own tests is enough: the warning belongs to all of them.
OWN_TESTS = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests", "-k", "there_are_products"]


def test_tests_warn_when_data_is_not_what_the_manifest_records(project):
    """A green test against products that no reviewer saw warns."""
    (project / "data/input/unrecorded.hdf5").write_text("x")
    done = run(*OWN_TESTS, cwd=project)
    assert "data/input/unrecorded.hdf5 is not recorded" in done.stdout and "1 warning" in done.stdout


def test_tests_do_not_warn_of_recorded_data(project):
    done = run(*OWN_TESTS, cwd=project)
    assert "1 passed" in done.stdout and "warning" not in done.stdout
