"""What the tests of updates use: a template of two releases, a repository of the first, and programs on them."""

import json
import os
import shutil
import stat
import sys

from support import TEMPLATE_FOLDER, commit_all, git, read_json, render, run

IDENTITY = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", "Test"), ("EMAIL", "test@example.org"))}
KEPT = ("cookiecutter.json", "hooks", "scripts/regenerate", "scripts/regeneration", "pyproject.toml", "CHANGELOG.md",
        "docker-base/py-cumulus/src", TEMPLATE_FOLDER)  # what rendering and updating use


def copy_what_updates_use(template, folder):
    """A new repository with these files of the template, not committed yet."""
    for name in KEPT:
        source, target = template / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def make_repository(template, folder, version):
    """A repository that was rendered from a version of the template, and committed."""
    clone = folder / "clone"
    run("git", "clone", "--quiet", "--branch", version, "-c", "advice.detachedHead=false", template, clone)
    project = render(clone, folder / "out")
    record = read_json(project / ".cruft.json")
    (project / ".cruft.json").write_text(json.dumps({**record, "template": str(template)}, indent=2) + "\n")
    git(project, "init", "--quiet", "--initial-branch=develop")
    commit_all(project, "Rendered")
    return project


def programs(project, name, *arguments, check=False, **environment):
    """Run a program of the repository as a person with a virtual environment does."""
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    return run(project / name, *arguments, cwd=project, check=check, **{"PATH": path, **IDENTITY, **environment})


def regenerate(project, *arguments, check=False, **environment):
    return programs(project, "bin/regenerate", *arguments, check=check, **environment)


def change(path, old, new):
    """Replace a text that a file holds once or more."""
    text = path.read_text()
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1))


def release(folder, tag, message="Change the template"):
    """Commit the template as it is now, and tag it; returns the commit."""
    commit = commit_all(folder, message)
    git(folder, "tag", tag)
    return commit


def snapshot(folder):
    """Every file outside .git, byte for byte: path -> (kind and permissions, content)."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] != ".git" and (path.is_symlink() or not path.is_dir()):
            content = os.readlink(path) if path.is_symlink() else path.read_bytes()
            found[name] = (stat.filemode(path.lstat().st_mode), content)
    return found


def state(folder):
    """The working tree, the index and what Git says of both: equal before an update and after it is undone."""
    return snapshot(folder), git(folder, "ls-files", "--stage", "-v"), git(folder, "status", "--porcelain", "--branch")


def unmerged(folder):
    """The paths that Git's index holds in conflict."""
    return set(filter(None, git(folder, "diff", "--name-only", "--diff-filter=U", "--relative").splitlines()))
