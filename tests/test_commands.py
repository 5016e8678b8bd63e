"""The commands of the Makefile: virtual environment, demonstration, help."""

import importlib.util
import os
import re
import shlex
import shutil
import stat
import sys
from pathlib import Path

import pytest
from support import ROOT, run

VENV = ROOT / "scripts" / "venv"


@pytest.fixture
def demo():
    """scripts/demo.py as a module."""
    spec = importlib.util.spec_from_file_location("demo_program", ROOT / "scripts" / "demo.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def python(tmp_path):
    """A stand-in for Python that makes an environment without a network and records its calls."""
    log, path = tmp_path / "calls", tmp_path / "python"
    path.write_text(f"""#!/bin/sh
case "$*" in
    *_base_executable*) echo "$0" ;;
    *purelib*) dirname "$0" ;;
    "-m venv "*) echo venv >>{log}; mkdir -p "$3/bin" && touch "$3/pyvenv.cfg" && cp "$0" "$3/bin/python" ;;
    "-m pip "*) echo "pip ${{6-}} ${{7-}}" >>{log}; [ ! -e {tmp_path}/no-network ] ;;
    *) exec {sys.executable} "$@" ;;
esac
""")
    path.chmod(0o755)

    def venv(*arguments, **environment):
        """Call scripts/venv with it; returns its result and what was done."""
        log.write_text("")
        done = run(VENV, *arguments, check=False, **{"PYTHON": path, "VENV": tmp_path / "venv", **environment})
        return done, log.read_text().split("\n")[:-1]

    return venv


def test_environment_is_made_once(python):
    done, calls = python()
    assert (done.returncode, len(calls)) == (0, 3), done.stderr
    assert calls[0] == "venv"
    assert calls[2].endswith("--group dev")
    assert python()[1] == []


def test_environment_of_all_groups_serves_the_smaller_one(python):
    python("dev")
    assert python("demo")[1] == []


def test_smaller_environment_is_kept_and_added_to(python):
    python("demo")
    assert python("dev")[1] == ["pip --group dev"]


def test_interrupted_environment_is_made_anew(python, tmp_path):
    (tmp_path / "no-network").touch()
    done, _ = python()
    assert done.returncode != 0
    (tmp_path / "no-network").unlink()
    done, calls = python()
    assert done.returncode == 0, done.stderr
    assert calls[0] == "venv"


def test_environment_refuses_a_folder_that_is_none(python, tmp_path):
    """A mistyped VENV does not delete a folder."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "precious").touch()
    done, calls = python()
    assert done.returncode == 1 and "is no virtual environment" in done.stderr
    assert calls == [] and (tmp_path / "venv" / "precious").exists()


@pytest.mark.parametrize("answer, sentence", [
    ('echo "3.9 False"', "is Python 3.9, and 3.11 or newer is needed"),
    ("exit 127", "does not run: install Python 3.11 or newer"),
    (f'case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac', "apt-get install python3-venv"),
], ids=["too old", "absent", "without ensurepip"])
def test_unfit_python_is_one_sentence(tmp_path, answer, sentence):
    unfit = tmp_path / "unfit"
    unfit.write_text(f"#!/bin/sh\n{answer.replace(sys.executable, os.path.realpath(sys.executable))}\n")
    unfit.chmod(0o755)
    # scripts/venv checks the Python behind an environment: let the stand-in name itself.
    text = unfit.read_text().replace("#!/bin/sh\n", '#!/bin/sh\ncase "$*" in *_base_exec*) echo "$0"; exit ;; esac\n')
    unfit.write_text(text)
    done = run(VENV, check=False, PYTHON=unfit, VENV=tmp_path / "venv")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and sentence in done.stderr
    assert not (tmp_path / "venv").exists()


def test_unwritable_place_is_one_sentence():
    done = run(VENV, check=False, VENV="/proc/venv")
    assert done.returncode == 1
    assert "cannot write to /proc/venv" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("answer", ["exit 1", "exit 127", "exec /no/such/python"], ids=["too old", "absent", "broken"])
def test_demo_with_an_unfit_python_is_one_sentence(tmp_path, answer):
    """An old Python would otherwise end with a SyntaxError."""
    unfit = tmp_path / "un fit"
    unfit.write_text(f"#!/bin/sh\n{answer}\n")
    unfit.chmod(0o755)
    done = run("make", "--silent", "demo", f"PYTHON={unfit}", cwd=ROOT, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert done.stdout.count("\n") == 1 and "older than Python 3.11: name another: make demo PYTHON=" in done.stdout


@pytest.mark.parametrize("answer, sentence", [
    (None, "/py thon does not run; name another"),
    ('case "$*" in *version_info*) exit 1 ;; esac', "Python 3.11 or newer is needed"),
    ('case "$*" in *ensurepip*) exit 1 ;; esac', "apt-get install python3-venv"),
    ('case "$*" in "-m venv .venv") echo made; exit 1 ;; esac', "made"),
], ids=["absent", "too old", "without ensurepip", "fit"])
def test_rendered_make_tells_what_its_python_lacks(default_project, tmp_path, answer, sentence):
    """make names what is missing, also if the path of Python holds a space."""
    project = shutil.copytree(default_project, tmp_path / "project")
    if answer:
        (tmp_path / "py thon").write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / "py thon").chmod(0o755)
    done = run("make", "--silent", ".venv/ready", f"PYTHON={tmp_path}/py thon", cwd=project, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("installing")]
    assert done.returncode != 0 and len(lines) == 1 and sentence in lines[0], done.stderr


def test_make_help_lists_every_command():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)
    assert {"demo", "test", "test-fast", "test-all", "lint", "bench", "docs", "pictures", "help"} == set(targets)
    listed = run("make", "--no-print-directory", "help", cwd=ROOT).stdout
    assert all(f"make {target} " in listed for target in targets)


def test_every_program_is_executable():
    for folder in ("scripts", "docker-base/bin", ".ci"):
        for path in (ROOT / folder).iterdir():
            if path.is_file() and path.read_bytes().startswith(b"#!"):
                assert path.stat().st_mode & stat.S_IXUSR, path


def test_repository_of_an_earlier_run_is_kept_under_a_number(demo, tmp_path):
    project = tmp_path / "docker-x"
    assert demo.keep(project) is None
    for number, text in enumerate(["first", "second", "third"], start=1):
        project.mkdir()
        (project / "edited").write_text(text)
        assert demo.keep(project) == tmp_path / f"docker-x.{number}"
    assert [(tmp_path / f"docker-x.{number}" / "edited").read_text() for number in (1, 2, 3)] == [
        "first", "second", "third"]


class Steps:
    """Replaces Demo's programs: records their commands, and gives some of them another status than 0."""

    def __init__(self, module, monkeypatch, **statuses):
        self.commands, self.statuses = [], statuses
        monkeypatch.setattr(module, "stream", self.stream)

    def stream(self, command, cwd, log):
        arguments = [Path(argument).name if isinstance(argument, Path) else argument for argument in command]
        self.commands.append(" ".join(arguments[:4]))
        return self.statuses.get(arguments[0].replace("-", "_"), 0)


def test_demo_runs_exactly_the_documented_commands(demo, tmp_path, monkeypatch):
    """The commands are only noted, so that this machine needs no docker command."""
    (tmp_path / "git").touch(mode=0o755)  # all that is looked for
    monkeypatch.setenv("PATH", str(tmp_path))
    steps = Steps(demo, monkeypatch)
    demo.Demo(tmp_path).run(native=False)
    assert steps.commands == ["venv demo", "engine-up", "build", "python -m cookiecutter --no-input",
                              "docker compose run build", "docker compose run test", "python -m pytest -ra"]


def test_demo_without_git_is_one_sentence_before_anything_is_made(demo, tmp_path, monkeypatch):
    """Otherwise the repository would lack its template's commit, which only the fourth step needs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    steps = Steps(demo, monkeypatch)
    with pytest.raises(demo.StepFailed, match="demo: Git is not installed here: apt-get install git"):
        demo.Demo(tmp_path / "demo").run(native=False)
    assert steps.commands == [] and not (tmp_path / "demo").exists()


def test_command_for_another_collection_works_in_the_repository_of_the_demo(demo, tmp_path, monkeypatch, capsys):
    """The hints begin with cd: the command that follows runs there, and renders beside the checkout."""
    Steps(demo, monkeypatch)
    made = demo.Demo(tmp_path)
    monkeypatch.setattr(made, "venv", Path(sys.prefix))
    made.run(native=False)
    hint = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert hint[hint.index("--output-dir") + 1:] == [str(ROOT.parent), str(ROOT)]
    hint[-2] = tmp_path / "beside"
    away = tmp_path / "away"
    away.mkdir()
    run(*hint, "--no-input", "--default-config", cwd=away)
    assert (tmp_path / "beside" / "docker-hs3-cpl" / "process.py").is_file() and not list(away.iterdir())


def test_make_in_another_folder_names_the_command(default_project, tmp_path):
    """make -f would look for every file in the wrong folder."""
    for folder in (ROOT, default_project):
        done = run("make", "-f", folder / "Makefile", "help", cwd=tmp_path, check=False)
        assert done.returncode == 2 and f"this Makefile works in its own folder: make -C {folder}/ help" in done.stderr


def test_make_sample_without_its_libraries_is_one_sentence():
    """Python without site-packages, as on a fresh machine."""
    done = run(sys.executable, "-S", "-I", ROOT / "scripts" / "make-sample.py", "--help", check=False)
    assert (done.returncode, done.stderr) == (1, "make-sample: this Python has no h5py: scripts/venv, then "
                                                 ".venv/bin/python scripts/make-sample.py\n")


def test_demo_goes_on_without_an_engine_and_says_so(demo, tmp_path, monkeypatch, capsys):
    steps = Steps(demo, monkeypatch, engine_up=3)
    demo.Demo(tmp_path).run(native=False)
    assert steps.commands[2:] == ["native-up", "python -m cookiecutter --no-input",
                                  f"make native PYTHON={demo.Demo(tmp_path).python}", "python -m pytest -ra"]
    assert "There is no Docker engine to use here" in capsys.readouterr().out


@pytest.mark.parametrize("failing, status", [("engine_up", 1), ("build", 1), ("docker", 3), ("python", 1)])
def test_failing_step_names_the_command_and_its_log(demo, tmp_path, monkeypatch, failing, status):
    Steps(demo, monkeypatch, **{failing: status})
    with pytest.raises(demo.StepFailed) as failure:
        demo.Demo(tmp_path).run(native=False)
    assert failure.value.status == status
    assert f"ended with status {status}; its output is in {tmp_path}/log/" in str(failure.value)


def test_demo_keeps_the_output_of_a_command_in_its_log(demo, tmp_path, capsys):
    log = tmp_path / "log"
    assert demo.stream(["sh", "-c", "echo out; echo err >&2; exit 7"], tmp_path, log) == 7
    assert log.read_text() == capsys.readouterr().out == "out\nerr\n"


def test_demo_in_an_unwritable_folder_is_one_sentence():
    done = run(ROOT / "scripts" / "demo.py", "--output", "/proc/demo", check=False)
    assert done.returncode == 1
    assert "demo: cannot write to /proc/demo" in done.stderr and 'ARGS="--output ' in done.stderr


@pytest.mark.engine
@pytest.mark.slow
def test_demo_for_real(engine, tmp_path):
    """The second of two runs keeps the repository of the first."""
    for _ in range(2):
        done = run(ROOT / "scripts" / "demo.py", "--output", tmp_path, timeout=1200)
        assert "== Done in" in done.stdout
        assert "docker compose run test" in done.stdout
    assert {path.name for path in tmp_path.glob("[!.]*")} == {"docker-hs3-cpl", "docker-hs3-cpl.1", "log", "pytest.ini"}
    assert sorted(path.suffix for path in (tmp_path / "docker-hs3-cpl/data/test-output").glob("[!.]*")) == [
        ".json", ".json", ".nc", ".nc", ".xml", ".xml"]
