#!/usr/bin/env python3
"""From nothing to a repository whose image turns granules into checked products.

Renders the default collection into demo/, builds its image, processes its sample granules with the documented
commands and runs its own tests. On a machine without a Docker engine it does the same natively. A repository of an
earlier run is kept under a new name. Needs only Python's standard library; `make demo` runs it.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "docker-hs3-cpl"  # what the default answers render
CANNOT = 3  # exit status of engine-up and native-up: not on this machine


class StepFailed(Exception):
    """A command of a step failed; the message says which and where its output is."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


@dataclass
class Step:
    """What the summary says of one step."""

    title: str
    command: str
    seconds: float


class Demo:
    """The steps of the demonstration, each with a heading, its output as it comes, a log and its duration."""

    def __init__(self, folder):
        self.folder = folder
        self.project = folder / NAME
        self.venv = Path(os.environ.setdefault("VENV", str(ROOT / ".venv")))
        self.steps = []

    @property
    def python(self):
        return self.venv / "bin" / "python"

    def step(self, title, *command, cwd=ROOT, allowed=()):
        """Run one command; returns its status, which is 0 or one of those allowed."""
        shown = shlex.join(str(argument) for argument in command)
        if cwd == ROOT:
            shown = shown.replace(f"{ROOT}{os.sep}", "")
        log = self.folder / "log" / f"{len(self.steps) + 1}-{title.lower().replace(' ', '-')}.log"
        print(f"\n== {title}: {shown}" + (f"   (in {self.shown(cwd)})" if cwd != ROOT else ""), flush=True)
        start = time.monotonic()
        status = stream(command, cwd, log)
        if status not in (0, *allowed):
            raise StepFailed(f"demo: step '{title}' failed: {shown} ended with status {status}; "
                             f"its output is in {self.shown(log)}", status)
        self.steps.append(Step(title, shown, time.monotonic() - start))
        return status

    def shown(self, path):
        """A path as a person in the checkout would type it."""
        return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)

    def prepare(self):
        """Virtual environment, and a folder for the new repository in which nothing is lost."""
        if not shutil.which("git"):  # much later, the repository without its template's commit would fail
            raise StepFailed("demo: Git is not installed here: apt-get install git, then start anew", 1)
        try:
            (self.folder / "log").mkdir(parents=True, exist_ok=True)
            for old in (self.folder / "log").glob("*.log"):
                old.unlink()
            # Without this file, pytest would read this checkout's configuration for the rendered repository.
            (self.folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        except OSError as error:
            raise StepFailed(f"demo: cannot write to {self.folder} ({error.strerror}): "
                             'name another folder: make demo ARGS="--output FOLDER"', 1) from error
        self.step("Virtual environment", ROOT / "scripts" / "venv", "demo")

    def render(self):
        """Render the default collection; returns where a repository of an earlier run went, if there was one."""
        kept = keep(self.project)
        if kept:
            print(f"\nThe repository of an earlier run is now {self.shown(kept)}")
        self.step("Render", self.python, "-m", "cookiecutter", "--no-input", "--default-config",
                  "--output-dir", self.folder, ROOT)
        return kept

    def with_engine(self):
        self.step("Base image", ROOT / "docker-base" / "build")
        self.render()
        self.step("Build", "docker", "compose", "run", "build", cwd=self.project)
        self.step("Process and compare", "docker", "compose", "run", "test", cwd=self.project)
        self.step("Own tests", self.python, "-m", "pytest", "-ra", "tests", cwd=self.project)
        # `docker compose run` leaves stopped containers; remove only those of this folder.
        ours = f"label=com.docker.compose.project.working_dir={self.project}"
        with suppress(FileNotFoundError):  # without a docker command there are no containers
            subprocess.run(["docker", "container", "prune", "--force", "--filter", ours], stdout=subprocess.DEVNULL,
                           check=False)

    def natively(self):
        self.step("C libraries", ROOT / "scripts" / "native-up")
        kept = self.render()
        if kept:
            reuse_venv(kept, self.project)
        self.step("Build and process", "make", "native", f"PYTHON={self.python}", cwd=self.project)
        own = self.project / ".venv" / "bin" / "python"
        self.step("Own tests", own, "-m", "pytest", "-ra", "tests", cwd=self.project)

    def run(self, native):
        """Run all steps, natively if that is wanted or no Docker engine can be had."""
        self.prepare()
        if not native:
            native = self.step("Docker engine", ROOT / "scripts" / "engine-up", allowed=[CANNOT]) == CANNOT
            if native:
                print("\nThere is no Docker engine to use here (the reason is above): going on without Docker.")
        if native:
            self.natively()
        else:
            self.with_engine()
        self.summary(native)

    def summary(self, native):
        where = self.shown(self.project)
        again = "make native" if native else "docker compose run build && docker compose run test"
        width = max(len(step.title) for step in self.steps)
        print(f"\n== Done in {sum(step.seconds for step in self.steps):.0f} s\n")
        for step in self.steps:
            print(f"  {step.title:{width}}  {step.seconds:6.1f} s  {step.command}")
        print(f"\nMade: {where}/: a repository for the collection HS3 CPL"
              + ("" if native else f"\n      {NAME}:latest: its image, on docker-base:latest")
              + f"\n      {where}/data/test-output/: products of its sample granules, equal to those expected:")
        for product in sorted(self.project.glob("data/test-output/[!.]*")):
            print(f"        {product.name}")
        print(f"\nNext:  cd {where}\n"
              f"       edit convert/hs3cpl2nc.c (for example a unit in its table), then: {again}\n"
              "       README.md says how to make this collection yours; for another one:\n"
              f"       {shlex.join(self.another())}")

    def another(self):
        """The command that renders another repository beside this checkout, from any folder."""
        return [str(self.python), "-m", "cookiecutter", "--output-dir", str(ROOT.parent), str(ROOT)]


def stream(command, cwd, log):
    """Run a command, copy its output line by line to standard output and a log; returns its status."""
    with log.open("w", encoding="utf-8") as record:
        def tell(line):
            print(line, end="", flush=True)
            record.write(line)

        try:
            process = subprocess.Popen([str(argument) for argument in command], cwd=cwd, text=True, errors="replace",
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as error:
            tell(f"cannot run {command[0]}: {error.strerror}\n")
            return 127
        with process.stdout as lines:
            for line in lines:
                tell(line)
        return process.wait()


def keep(project):
    """Move a repository aside under the first free number; returns where it went, None if there is none."""
    if not project.exists():
        return None
    number = 1
    while project.with_name(f"{project.name}.{number}").exists():
        number += 1
    return project.rename(project.with_name(f"{project.name}.{number}"))


def reuse_venv(old, new):
    """Move a virtual environment to the new repository if both have the same requirements.

    It works only at the path where it was made, and the new repository has that path now.
    """
    decides = [".cruft.json", "requirements.txt", "tests/requirements.txt", "Makefile"]
    if (old / ".venv" / "ready").exists() and all((old / name).read_bytes() == (new / name).read_bytes()
                                                   for name in decides):
        (old / ".venv").rename(new / ".venv")
        (new / ".venv" / "ready").touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--native", action="store_true", help="go without Docker even where an engine answers")
    parser.add_argument("--output", type=Path, default=ROOT / "demo", metavar="FOLDER",
                        help="where the repository is made (default: demo/ in this checkout)")
    options = parser.parse_args()
    try:
        Demo(options.output.resolve()).run(options.native)
    except StepFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        print("\ndemo: interrupted; make demo starts anew and keeps what was made", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
