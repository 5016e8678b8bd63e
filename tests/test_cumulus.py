"""bin/cumulus: where py-cumulus runs on the host, and what is said where it can run nowhere."""

import json
import os
import shutil
import sys

import pytest
from support import ROOT, git, read_json, run


@pytest.fixture
def project(default_project, tmp_path):
    """A rendered repository that a test may change."""
    return shutil.copytree(default_project, tmp_path / default_project.name, symlinks=True)


@pytest.fixture
def no_docker(tmp_path):
    """A path of programs with Git and Python, and without docker."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("git", "env"):
        (folder / name).symlink_to(shutil.which(name))
    (folder / "python3").symlink_to(sys._base_executable)
    return {"PATH": folder, "PYTHONPATH": ""}


def bare(project, program, *arguments, **environment):
    """Run a program of the repository with a Python that has no py-cumulus."""
    return run(sys._base_executable, project / "bin" / program, *arguments, check=False, **environment)


def test_library_is_copied_out_of_the_templates_commit_once(project, no_docker):
    """A fresh clone without .venv and image: the copy holds py-cumulus, Git ignores it, and no second clone is made."""
    done = bare(project, "fetch-data", "--check", **no_docker)
    assert (done.returncode, done.stdout) == (0, "data/: 2 input files, 6 expected products\n"), done.stderr
    record = read_json(project / ".cruft.json")
    assert (project / ".library/origin").read_text() == record["commit"]
    git(project, "init", "--quiet")
    assert ".library" not in git(project, "status", "--porcelain", "--untracked-files=all")
    (project / ".cruft.json").write_text(json.dumps({**record, "template": "/absent"}))
    assert bare(project, "fetch-data", "--check", **no_docker).returncode == 0


def test_library_comes_out_of_the_image_where_the_template_cannot_be_reached(project, no_docker):
    """As in job `test` of CI with a private template. A stand-in for docker holds the library."""
    library = ROOT / "docker-base/py-cumulus/src/cumulus"
    settings = json.dumps({"services": {"build": {"build": {"args": {"BASE_IMAGE": "base"}}}, "test": {"image": "i"}}})
    docker = no_docker["PATH"] / "docker"
    docker.write_text(f"""#!/bin/sh
case "$*" in
    "compose config --format json") echo '{settings}' ;;
    "image inspect --format "*) echo sha256:1 ;;
    "create "*) echo container ;;
    "cp container:/opt/py-cumulus/cumulus "*) {shutil.which("cp")} -r {library} "$3" ;;
    "rm "*) ;;
    *) exit 1 ;;
esac
""")
    docker.chmod(0o755)
    record = read_json(project / ".cruft.json")
    (project / ".cruft.json").write_text(json.dumps({**record, "template": "/absent"}))
    run(sys._base_executable, "-m", "venv", "--without-pip", project / ".venv")
    done = bare(project, "fetch-data", "--check", **no_docker)
    assert done.returncode == 0, done.stderr
    assert (project / ".library/origin").read_text() == "sha256:1"


def test_copy_of_another_commit_is_made_anew(project, no_docker):
    """After an update; a copy that was interrupted has no record of its origin either."""
    (project / ".library/cumulus").mkdir(parents=True)
    (project / ".library/origin").write_text("an older commit")
    assert bare(project, "fetch-data", "--check", **no_docker).returncode == 0
    assert (project / ".library/cumulus/sample").is_dir()


@pytest.mark.parametrize("program", ["cumulus", "fetch-data", "accept-products"])
def test_library_that_is_nowhere_is_said_with_the_commands(project, no_docker, program):
    """Neither .venv nor image nor template."""
    (project / ".cruft.json").unlink()
    done = bare(project, program, *(["--version"] if program == "cumulus" else []), **no_docker)
    assert done.returncode == 127 and "Traceback" not in done.stderr
    assert done.stderr.startswith("bin/cumulus: py-cumulus is not here: make native installs it into .venv, bin/base")


def test_comparison_that_nothing_here_can_do_is_said_with_the_commands(project, no_docker):
    """The host's Python has none of the compiled libraries, and there is no image."""
    done = bare(project, "cumulus", "compare", "data/output", "data/output", **no_docker)
    assert done.returncode == 127
    assert done.stderr == "bin/cumulus: compare needs libraries that are in the image and in .venv, and neither is " \
        "here: docker compose run build, or make native\n"


def test_products_are_accepted_by_their_bytes_where_nothing_can_compare(project, no_docker):
    shutil.copytree(project / "data/output", project / "data/test-output", dirs_exist_ok=True)
    changed = sorted((project / "data/test-output").glob("*.nc"))[0]
    changed.write_bytes(changed.read_bytes() + b"x")
    done = bare(project, "accept-products", "--yes", "--because", "seen in Panoply", **no_docker)
    assert done.returncode == 0 and "not compared: neither py-cumulus nor the image is here" in done.stdout, done.stderr
    assert (project / "data/output" / changed.name).read_bytes() == changed.read_bytes()


def test_environment_without_the_library_does_not_hold_it_up(project, no_docker):
    """A .venv that somebody made by hand."""
    run(sys._base_executable, "-m", "venv", "--without-pip", project / ".venv")
    assert bare(project, "fetch-data", "--check", **no_docker).returncode == 0


def test_environment_with_the_library_is_taken_first(project, no_docker):
    """Nothing is copied then; relative paths are the caller's."""
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    os.chmod(project / ".venv/bin/python", 0o755)
    done = run(sys._base_executable, project / "bin/cumulus", "compare", "output", "output", cwd=project / "data",
               check=False, **no_docker)
    assert done.returncode == 0 and "6 equal" in done.stdout, done.stderr
    assert not (project / ".library").exists()
