"""Rendering versions of the template, all in one run of the Python that has Cookiecutter."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from .git import Problem

__all__ = ["Renderer"]

PROGRAM = Path(__file__).with_name("render_program.py")
HAS_COOKIECUTTER = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('cookiecutter'))"


class Renderer:
    """Renders into folders of `folder`, which is thrown away later."""

    def __init__(self, folder, template):
        self.folder = folder
        self.template = template
        self.rendered = 0

    def render(self, *wishes):
        """The results of these renders: (commit, answers, whether the rules of the template count) each.

        A result is {"answers": {...}, "problems": [...], "folder": path or None}, see render_program.py.
        """
        jobs = []
        for commit, answers, check in wishes:
            self.rendered += 1
            output = self.folder / f"render-{self.rendered}"
            output.mkdir()
            jobs.append({"template": str(self.template.files(commit, self.folder)), "answers": answers,
                         "output": str(output), "check": check})
        work, results = self.folder / "jobs.json", self.folder / "results.json"
        work.write_text(json.dumps(jobs), encoding="utf-8")
        results.unlink(missing_ok=True)
        done = subprocess.run([self._python(), "-B", PROGRAM, work, results], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)
        if done.returncode or not results.exists():
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Problem(f"Cookiecutter failed ({reason}): pip install --upgrade cookiecutter may help")
        return json.loads(results.read_text(encoding="utf-8"))

    def _python(self):
        """A Python that has Cookiecutter: this, that of the program on the PATH, or a throw-away environment."""
        program = shutil.which("cookiecutter")
        candidates = [sys.executable, *([interpreter(program)] if program else []), self.folder / "venv/bin/python"]
        for python in filter(None, candidates):
            if os.access(python, os.X_OK) and not subprocess.run(
                    [python, "-c", HAS_COOKIECUTTER], capture_output=True, check=False).returncode:
                return str(python)
        return self._install()

    def _install(self):
        """Install the version of Cookiecutter that the template is tested with into the throw-away folder."""
        groups = tomllib.loads((self.template.folder / "pyproject.toml").read_text())["dependency-groups"]
        (pinned,) = (entry for entry in groups["demo"] if entry.startswith("cookiecutter=="))
        print(f"installing {pinned} for this run", file=sys.stderr, flush=True)
        environment = self.folder / "venv"
        for command in ([sys.executable, "-m", "venv", environment],
                        [environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                         pinned]):
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
            if done.returncode:
                lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no reason given"]
                raise Problem(f"Cookiecutter is not installed here, and installing it failed ({lines[-1].strip()}): "
                              "pip install cookiecutter, or have its program on the PATH")
        return str(environment / "bin/python")


def interpreter(program):
    """The Python that the first line of a program names, or None."""
    with open(program, "rb") as stream:
        first = stream.readline(4096)
    named = re.fullmatch(rb"#!\s*(/\S*python[\d.]*)\s*", first)
    return os.fsdecode(named[1]) if named else None
