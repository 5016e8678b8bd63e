"""Programs that tests call: they are installed, or the tests say which are missing; a fresh machine shows it."""

import ast
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from programs import PACKAGES, need
from support import ROOT, commit_all, copy_template, git, run

LIBRARIES = {"libc6-dev", "libdeflate-dev", "libhdf5-dev", "libnetcdf-dev"}
FRESH_ROOT = ROOT / "scripts" / "fresh-root.py"


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with nothing but apt-get, for an ordinary user; that is what native-up sees."""
    for name, text in {"id": "echo 1000", "apt-get": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("arguments, packages", [
    ([], {"gcc", "make", "pkg-config"} | LIBRARIES),
    (["--tests"], set(PACKAGES.values()) | LIBRARIES),
], ids=["converter", "tests"])
def test_without_root_every_missing_package_is_named(bare_path, arguments, packages):
    """The command can be typed as it is; with --tests, it installs every program that a test asks for."""
    done = run(ROOT / "scripts" / "native-up", *arguments, check=False, PATH=bare_path)
    sentence, command = done.stderr.split(": sudo apt-get install ")
    assert done.returncode == 3 and sentence == "native-up: programs or libraries are missing"
    assert sorted(command.split()) == sorted(packages)


def test_missing_program_skips_by_its_name_and_package(monkeypatch, tmp_path):
    """So does a test that runs it without asking first."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("REQUIRE_NATIVE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no program ncdump: apt-get install netcdf-bin"):
        need("ncdump")
    with pytest.raises(pytest.skip.Exception, match="no program git: apt-get install git"):
        git(tmp_path, "status")


def test_missing_program_fails_where_all_are_required(monkeypatch, tmp_path):
    """CI installs them, and notices where it does so no longer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("REQUIRE_NATIVE", "1")
    with pytest.raises(pytest.fail.Exception, match="no program chromium: apt-get install chromium"):
        need("chromium", "google-chrome")


def named_programs(path):
    """Names of programs of PACKAGES that a file's calls of subprocess hold as they are, with the lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess.") and node.args:
            first = node.args[0].elts[0] if isinstance(node.args[0], ast.List) else None
            if isinstance(first, ast.Constant) and first.value in PACKAGES:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {first.value}"


def test_no_test_runs_a_program_without_asking_for_it():
    """It would end in FileNotFoundError where the program is missing."""
    folders = ("tests", "docker-base/converter/tests", "docker-base/py-cumulus/tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 60
    assert [call for path in files for call in named_programs(path)] == []


# ---- The fresh root ----

def test_fresh_root_refuses_a_share_that_does_not_exist():
    done = run(FRESH_ROOT, "--share", "/no/such/folder", "true", check=False)
    assert done.returncode == 2
    assert "--share /no/such/folder: give the absolute path of an existing file or folder" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root can make one")
def test_fresh_root_without_root_is_one_sentence():
    done = run(FRESH_ROOT, "true", check=False)
    assert (done.returncode, done.stderr) == (3, "fresh-root: only root can make a fresh root: "
                                                 "sudo scripts/fresh-root.py\n")


@pytest.fixture
def fresh_root(tmp_path):
    """Start scripts/fresh-root.py of a checkout with an edit; its folder is in `folders`."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a fresh root")
    need("mmdebstrap")
    checkout, folders = tmp_path / "checkout", tmp_path / "folders"
    checkout.mkdir()
    folders.mkdir()
    copy_template(checkout)
    git(checkout, "init", "--quiet")
    commit_all(checkout, "Committed")
    (checkout / "README.md").write_text("edited\n")
    (checkout / "mkdocs.yml").unlink()
    (checkout / "untracked").touch()

    def start(*arguments):
        return subprocess.Popen([checkout / "scripts/fresh-root.py", *arguments], stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(folders)})

    return start, folders


def processes(*command):
    """The process ids with this command line."""
    wanted = "\0".join(command) + "\0"
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path) == wanted]


def readable(path):
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended
        return ""


REPORT = """
import json, os, shutil, sys
print(json.dumps({"files": sorted(os.listdir()), "readme": open("README.md").read(), "user": os.geteuid(),
                  "programs": [name for name in sys.argv[1:] if shutil.which(name)]}))
sys.exit(7)
"""


@pytest.mark.slow
def test_fresh_root_holds_the_checkout_and_no_program_of_this_machine(fresh_root, tmp_path):
    """Edits of tracked files are there; the status is the command's, and nothing is left, mounts included."""
    start, folders = fresh_root
    shared = tmp_path / "shared"
    shared.mkdir()
    command = ["python3", "-c", REPORT, *PACKAGES, "docker"]
    process = start("--user", "--share", str(shared), "sh", "-c", f'touch {shared}/x; exec "$@"', "sh", *command)
    shown, messages = process.communicate(timeout=300)
    assert process.returncode == 7, messages
    report = json.loads(shown)
    assert report["readme"] == "edited\n" and report["user"] != 0
    assert {"Makefile", "scripts"} <= set(report["files"]) and not {"untracked", "mkdocs.yml"} & set(report["files"])
    assert report["programs"] == ["git", "make", "openssl"]
    assert list(shared.iterdir()) == [] and "Read-only file system" in messages
    assert list(folders.iterdir()) == [] and str(folders) not in Path("/proc/mounts").read_text()


@pytest.mark.slow
def test_killed_fresh_root_leaves_no_process_and_no_mount(fresh_root):
    """Its folder goes with the next run, and that run's own with SIGTERM, while the root is being made."""
    start, folders = fresh_root
    process = start("sh", "-c", "echo started; sleep 98765; true")
    assert process.stdout.readline() == "started\n", process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while processes("sleep", "98765") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes("sleep", "98765") == []
    assert str(folders) not in Path("/proc/mounts").read_text()
    (left,) = folders.iterdir()

    process = start("true")
    assert "making a minimal Debian" in process.stderr.readline()
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not left.exists() and list(folders.iterdir()) == []
