"""A campaign: random edits of an owner meet two versions of the template, and nothing is lost or silently left out."""

import os
import random
import shutil

import campaigns
import pytest
from support import TEMPLATE_FOLDER, git
from updating import copy_what_updates_use, make_repository, programs, release, state, unmerged

SEEDS = campaigns.count("updates")
BROUGHT = {  # the line that each changed file of the template brings
    name: f"later line of {name}" for name in (
        "Makefile", "Dockerfile", "bin/base", "docker-compose.yml", "tests/test_products.py", ".dockerignore",
        "moves.sh", "added.txt", "folder/added.txt")}


@pytest.fixture(scope="module")
def versions(template, tmp_path_factory):
    """The template before and after changes of each kind in many files."""
    folder = copy_what_updates_use(template, tmp_path_factory.mktemp("campaign") / "template")
    rendered = folder / TEMPLATE_FOLDER
    (rendered / "moves.sh").write_text("".join(f"step {number}\n" for number in range(40)))
    (rendered / "leaves.txt").write_text("".join(f"leave {number}\n" for number in range(40)))
    (rendered / "picture.bin").write_bytes(b"\0picture 1" * 20)
    (rendered / "mode.sh").write_text("".join(f"mode {number}\n" for number in range(40)))
    release(folder, "v1.0.0")
    for name in ("Makefile", "Dockerfile", "bin/base", "docker-compose.yml", "tests/test_products.py", ".dockerignore",
                 "moves.sh"):
        lines = (rendered / name).read_text().splitlines(keepends=True)
        lines.insert(len(lines) // 2 if name != "bin/base" else 2, f"# {BROUGHT[name]}\n")
        (rendered / name).write_text("".join(lines))
    (rendered / "moves.sh").rename(rendered / "moved.sh")
    (rendered / "leaves.txt").unlink()
    (rendered / "picture.bin").write_bytes(b"\0picture 2" * 20)
    (rendered / "mode.sh").chmod(0o755)
    for name in ("added.txt", "folder/added.txt"):
        (rendered / name).parent.mkdir(exist_ok=True)
        (rendered / name).write_text(f"{BROUGHT[name]}\n")
    release(folder, "v1.1.0")
    return folder


@pytest.fixture(scope="module")
def repository(versions, tmp_path_factory):
    return make_repository(versions, tmp_path_factory.mktemp("campaign-repository"), "v1.0.0")


class Owner:
    """Edits a repository at random, and remembers each line that it wrote."""

    def __init__(self, folder, seed):
        self.folder, self.random, self.lines, self.seed = folder, random.Random(seed), [], seed
        self.files = [name for name in git(folder, "ls-files").splitlines() if name != ".cruft.json"
                      and (not name.startswith("tests/sample") or self.random.random() < 0.2)]
        # Half of all choices are files that the template changes, too.
        self.favourites = [*filter(lambda name: name in BROUGHT, self.files), "leaves.txt", "picture.bin", "mode.sh"]

    def line(self):
        self.lines.append(f"# owner {self.seed}.{len(self.lines)}".encode())
        return self.lines[-1] + b"\n"

    def pick(self):
        names = [name for name in self.random.choice([self.files, self.favourites]) if (self.folder / name).is_file()]
        return self.folder / self.random.choice(names or ["README.md"])

    def edit(self):
        path = self.pick()
        if path.is_file():
            lines = path.read_bytes().splitlines(keepends=True)
            position = self.random.randint(0, len(lines))
            lines[position:position + self.random.choice([0, 0, 1, 3])] = [self.line()]
            if position and not lines[position - 1].endswith(b"\n"):
                lines[position - 1] += b"\n"
            path.write_bytes(b"".join(lines))

    def delete(self):
        self.pick().unlink(missing_ok=True)

    def rename(self):
        path = self.pick()
        if path.is_file():
            path.rename(path.with_name(f"my-{path.name}"))

    def add(self):
        path = self.folder / self.random.choice(["added.txt", "folder/added.txt", "folder", "moved.sh", "bin/mine",
                                                 "src/mine.py", "notes.txt", "new/deep/file"])
        if not path.exists() and not path.parent.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.line())

    def mode(self):
        path = self.pick()
        if path.is_file():
            path.chmod(path.stat().st_mode ^ 0o111)

    def binary(self):
        path = self.pick()
        if path.is_file():
            path.write_bytes(b"\0\xff" + self.line() + self.random.randbytes(50))

    def line_ends(self):
        path = self.pick()
        if path.is_file() and b"\0" not in path.read_bytes():
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def link(self):
        path = self.pick()
        if path.is_file():
            path.unlink()
            path.symlink_to("README.md")

    def untracked(self):
        """After the commit: files that Git does not track, ignored or not, perhaps in the way."""
        for name in self.random.sample(["added.txt", "folder/added.txt", "folder", "moved.sh", "notes", ".env.mine",
                                        "data/mine", "bin/scratch"], self.random.choice([0, 0, 1, 2])):
            path = self.folder / name
            if not os.path.lexists(path) and not path.parent.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.line())
                if self.random.random() < 0.5:
                    with (self.folder / ".git/info/exclude").open("a") as stream:
                        stream.write(f"/{name}\n")

    def work(self):
        actions = [self.edit] * 4 + [self.delete, self.rename, self.add, self.mode, self.binary,
                                                self.line_ends, self.link]
        for _ in range(self.random.randint(2, 9)):
            self.random.choice(actions)()
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", "Owner's work")
        tracked = b"\n".join(content(self.folder).values())
        self.lines = [line for line in self.lines if line in tracked]  # some were deleted by the owner again
        self.untracked()


def content(folder):
    """The bytes of each file outside .git."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*")
            if ".git" not in path.relative_to(folder).parts and path.is_file() and not path.is_symlink()}


def is_in_conflict(name, conflicts):
    """Whether the template's file `name` takes part in a reported conflict, under this name or another."""
    moved = {"moves.sh": ("moves.sh", "moved.sh")}.get(name, (name,))
    return any(old in path or path.endswith(f"my-{os.path.basename(old)}") for old in moved for path in conflicts)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_line_is_lost_and_no_change_left_out(versions, repository, tmp_path, seed):
    """Random edits of an owner: every line survives, every change of the template comes, or a conflict is reported."""
    folder = shutil.copytree(repository, tmp_path / repository.name, symlinks=True)
    owner = Owner(folder, seed)
    owner.work()
    before, had = state(folder), content(folder)
    done = programs(versions, "scripts/regenerate", "--repository", folder)
    if "that Git does not track" in done.stderr:
        assert done.returncode == 1 and state(folder) == before
        return
    assert done.returncode in (0, 1) and not done.stderr, done.stdout + done.stderr
    conflicts, has = unmerged(folder), content(folder)
    assert done.returncode == (1 if conflicts else 0)
    reported = done.stdout.partition("\nConflicts:\n")[2]
    assert all(f"  {path}: " in reported for path in conflicts)
    everything = b"\n".join(has.values())
    for line in owner.lines:
        assert line in everything, f"the owner's line {line} is lost"
    for name, line in BROUGHT.items():
        assert line.encode() in everything or is_in_conflict(name, conflicts), f"the change of {name} is left out"
    tracked = set(git(folder, "ls-files").splitlines())
    assert "leaves.txt" not in tracked or is_in_conflict("leaves.txt", conflicts)
    if had.get("picture.bin") == (repository / "picture.bin").read_bytes():
        assert has["picture.bin"].startswith(b"\0picture 2")
    check_mode(folder, repository, had, conflicts)
    untouched = had.keys() - {"leaves.txt"} - {path for path in had if path in changed(folder)}
    assert all(has[path] == had[path] for path in untouched)
    assert programs(versions, "scripts/regenerate", "--repository", folder, "--abort").returncode == 0
    assert state(folder) == before


def check_mode(folder, repository, had, conflicts):
    """mode.sh, where the owner has it under its name, can be run, or is in conflict."""
    here = folder / "mode.sh"
    if "mode.sh" in had and here.is_file() and not here.is_symlink():
        assert os.access(here, os.X_OK) or "mode.sh" in conflicts


def changed(folder):
    """The files that the update changed, and those in conflict."""
    return set(git(folder, "diff", "--name-only", "--no-renames", "HEAD").splitlines()) | unmerged(folder)


def test_the_campaign_meets_every_outcome(versions, repository, tmp_path):
    """Among the seeds are updates without and with conflicts, and refusals for files in the way."""
    outcomes = set()
    for seed in range(SEEDS):
        folder = shutil.copytree(repository, tmp_path / str(seed), symlinks=True)
        Owner(folder, seed).work()
        done = programs(versions, "scripts/regenerate", "--repository", folder)
        outcomes.add("refused" if "that Git does not track" in done.stderr else done.returncode)
        if outcomes == {0, 1, "refused"}:
            return
    pytest.fail(f"only {outcomes}")
