"""Git as a function, trees as dictionaries, and a throw-away repository to work in."""

import os
import subprocess
from pathlib import Path

__all__ = ["Git", "Problem", "Scratch", "listing", "write_tree"]

# Set by Git for its hooks and aliases: they would send each command to another repository.
INHERITED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_COMMON_DIR",
             "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT")


class Problem(Exception):
    """What cannot be done, and the remedy, in one sentence for the user."""


class Git:
    """Commands of Git in one folder, with no hook: git("rev-parse", "HEAD") returns what it prints."""

    def __init__(self, folder, **environment):
        self.folder = Path(folder)
        kept = {name: value for name, value in os.environ.items() if name not in INHERITED}
        self.environment = {**kept, "LC_ALL": "C", **environment}

    def run(self, *arguments, data=None, allowed=(0,), **environment):
        """The finished command, its output in bytes; a Problem with Git's whole reason for another status."""
        command = ["git", "-C", str(self.folder), "-c", f"core.hooksPath={os.devnull}", "-c", "gc.auto=0",
                   "-c", "core.quotePath=false", *map(str, arguments)]
        try:
            done = subprocess.run(command, input=data, capture_output=True, check=False,
                                  env={**self.environment, **environment})
        except OSError as error:
            raise Problem(f"git does not run here ({error.strerror}): install Git") from error
        if done.returncode not in allowed:
            reason = " ".join(os.fsdecode(done.stderr).split()) or f"status {done.returncode}"
            raise Problem(f"git {arguments[0]} in {self.folder} failed: {reason}")
        return done

    def __call__(self, *arguments, **options):
        """What the command prints, as text without white space around it."""
        return os.fsdecode(self.run(*arguments, **options).stdout).strip()

    def succeeds(self, *arguments):
        """Whether the command ends with status 0."""
        return self.run(*arguments, allowed=range(256)).returncode == 0


class Scratch(Git):
    """A throw-away repository that reads the objects of another and writes only its own.

    No configuration of the user or the machine counts: a merge is the same everywhere.
    """

    def __init__(self, folder, repository):
        folder.mkdir()
        identity = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
                    for part, value in (("NAME", "regenerate"), ("EMAIL", "regenerate@localhost"))}
        super().__init__(folder, HOME=str(folder), XDG_CONFIG_HOME=str(folder), GIT_CONFIG_GLOBAL=os.devnull,
                         GIT_CONFIG_NOSYSTEM="1", **identity)
        # Git before 2.29 knows neither the question nor another format.
        sha256 = os.fsencode("sha256") in repository.run("rev-parse", "--show-object-format", allowed=range(256)).stdout
        self("init", "--quiet", *(["--object-format=sha256"] if sha256 else []))
        objects = Path(repository("rev-parse", "--git-path", "objects"))
        (folder / ".git/objects/info/alternates").write_text(f"{(repository.folder / objects).resolve()}\n")

    def new_objects(self):
        """The names of the objects that this repository has written."""
        folders = (self.folder / ".git" / "objects").glob("[0-9a-f][0-9a-f]")
        return [folder.name + path.name for folder in folders for path in folder.iterdir()]

    def hand_over(self, repository):
        """Copy the objects that were written here into the other repository; nothing names them there yet."""
        names = "".join(f"{name}\n" for name in self.new_objects())
        if names:
            packed = self.run("pack-objects", "--stdout", "--quiet", data=names.encode()).stdout
            repository.run("unpack-objects", "-q", data=packed)


def listing(git, tree):
    """The files of a tree: path -> (mode, object)."""
    entries = {}
    for entry in filter(None, git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout.split(b"\0")):
        details, _, path = entry.partition(b"\t")
        mode, _, name = os.fsdecode(details).split()
        entries[os.fsdecode(path)] = (mode, name)
    return entries


def write_tree(git, entries):
    """The tree object of such files."""
    index = git.folder / ".git" / "regenerate-index"
    index.unlink(missing_ok=True)
    lines = b"".join(b"%b %b\t%b\0" % tuple(map(os.fsencode, (mode, name, path)))
                     for path, (mode, name) in entries.items())
    git.run("update-index", "-z", "--index-info", data=lines, GIT_INDEX_FILE=str(index))
    return git("write-tree", GIT_INDEX_FILE=str(index))
