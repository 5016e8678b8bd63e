"""The repository that is brought up to date: its files at HEAD, and how an update is put into it and undone."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .git import Git, Problem, listing, write_tree
from .record import RECORD, Record

__all__ = ["Repository"]

BUSY = {"MERGE_HEAD": "a merge", "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert",
        "rebase-merge": "a rebase", "rebase-apply": "a rebase"}


class Repository(Git):
    """The repository, or the folder of a larger one, that was rendered from the template."""

    def __init__(self, folder):
        super().__init__(Path(folder).resolve())
        if not self.succeeds("rev-parse", "--verify", "HEAD"):
            reason = os.fsdecode(self.run("rev-parse", "--git-dir", allowed=range(256)).stderr).split()
            if reason:
                raise Problem(f"{self.folder} is no Git repository that can be used ({' '.join(reason)}): do what Git "
                              "says, or git init, git add --all, and git commit")
            raise Problem(f"{self.folder} has no commit yet: git add --all, and git commit")
        self.head = self("rev-parse", "HEAD")
        self.top = Path(self("rev-parse", "--show-toplevel"))
        self.prefix = self("rev-parse", "--show-prefix")
        self.index = self.git_path("index")
        self.journal = self.git_path("regenerate")

    def git_path(self, name):
        """Where Git keeps such a file of this working tree."""
        return (self.folder / self("rev-parse", "--git-path", name)).resolve()

    def files(self):
        """The committed files below the folder: path -> (mode, object)."""
        if self.prefix and not self.succeeds("cat-file", "-e", f"HEAD:{self.prefix}"):
            raise Problem(f"{self.folder} is not committed yet: git add --all, and git commit")
        return listing(self, f"HEAD:{self.prefix}")

    def record(self):
        """The committed record."""
        done = self.run("show", f"HEAD:{self.prefix}{RECORD}", allowed=(0, 128))
        if done.returncode:
            raise Problem(f"{RECORD} is not committed here: commit it; where there is none, --adopt URL makes it")
        return Record.read(done.stdout.decode("utf-8", "replace"))

    def refuse_unless_clean(self):
        """A Problem where the update would be mixed with other work."""
        for name, what in BUSY.items():
            if self.git_path(name).exists():
                raise Problem(f"{what} is not finished here: finish or abort it first (git status)")
        changed = self.run("status", "--porcelain", "-z", "--untracked-files=no", "--", ".").stdout
        if changed:
            names = [os.fsdecode(entry)[3:] for entry in changed.split(b"\0") if entry[2:3] == b" "]
            waits = "; bin/regenerate --abort undoes the update that is not committed" if self.journal.exists() else ""
            raise Problem(f"there are uncommitted changes ({shown(names)}): commit or stash them first{waits}")

    def in_the_way(self, merged):
        """The files that Git does not track where the update would put its own."""
        ours, blocking = self.files(), set()
        for path in merged.files.keys() - ours.keys():
            here = self.folder / path
            if os.path.lexists(here) and not any(name.startswith(f"{path}/") for name in ours):
                blocking.add(path)
            for parent in Path(path).parents:
                if parent.name and parent.as_posix() not in ours and (
                        (self.folder / parent).is_symlink() or (self.folder / parent).is_file()):
                    blocking.add(parent.as_posix())
        return sorted(blocking)

    def whole_tree(self, scratch, merged):
        """The tree of the whole repository with the merged files, its objects handed over."""
        entries = {path: entry for path, entry in listing(self, "HEAD").items() if not path.startswith(self.prefix)}
        entries |= {self.prefix + path: entry for path, entry in merged.files.items()}
        tree = write_tree(scratch, entries)
        scratch.hand_over(self)
        return tree

    def put(self, scratch, merged, message):
        """Put the merge into working tree and index. Until the last step, --abort gives back what was there."""
        blocking = self.in_the_way(merged)
        if blocking:
            raise Problem(f"the update brings files that are here and that Git does not track ({shown(blocking)}): "
                          "commit them, or move them away")
        tree = self.whole_tree(scratch, merged)
        self._write_journal(merged)
        try:
            self._write(tree, merged, message)
        except Problem:
            subprocess.run([sys.executable, "-B", self.journal / "undo.py"], check=True, stdout=subprocess.DEVNULL)
            raise

    def _write(self, tree, merged, message):
        new_index = self.journal / "new-index"
        shutil.copy2(self.index, new_index)
        own = {"GIT_INDEX_FILE": str(new_index)}
        self.run("update-index", "-q", "--refresh", allowed=(0, 1), **own)
        self("-C", self.top, "read-tree", "-m", "-u", "HEAD", tree, **own)
        if merged.conflicts:
            lines = [f"0 {'0' * len(self.head)}\t{self.prefix}{path}\0" for path in merged.conflicts]
            lines += [f"{mode} {name} {stage}\t{self.prefix}{path}\0" for path, stages in merged.conflicts.items()
                      for stage, (mode, name) in stages.items()]
            self("-C", self.top, "update-index", "-z", "--index-info", data=os.fsencode("".join(lines)), **own)
        self.git_path("MERGE_MSG").write_text(message, encoding="utf-8")
        self._replace_index(new_index)

    def _write_journal(self, merged):
        """Save what will change, and how to undo it, before anything does."""
        ours = self.files()
        changed = sorted(path for path in ours if merged.files.get(path) != ours[path])
        created = sorted(merged.files.keys() - ours.keys())
        folders = {parent.as_posix() for path in created for parent in Path(path).parents
                   if parent.name and not (self.folder / parent).exists()}
        prepared = self.journal.with_name(f"regenerate.{os.getpid()}")
        (prepared / "before").mkdir(parents=True)
        saved = []
        for path in changed:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # a sparse checkout has left it out
                shutil.copy2(self.folder / path, prepared / "before" / str(len(saved)), follow_symlinks=False)
                saved.append(path)
        shutil.copy2(self.index, prepared / "index")
        shutil.copy(Path(__file__).with_name("undo.py"), prepared)
        journal = {"top": str(self.folder), "head": self.head, "changed": saved, "created": created,
                   "new_folders": sorted(folders, key=len, reverse=True), "index": str(self.index),
                   "message": str(self.git_path("MERGE_MSG"))}
        (prepared / "journal.json").write_text(json.dumps(journal), encoding="utf-8")
        shutil.rmtree(self.journal, ignore_errors=True)  # of an update that was committed, or reset
        os.rename(prepared, self.journal)

    def _replace_index(self, new_index):
        """Make the new index Git's, under its lock."""
        lock = self.index.with_name("index.lock")
        try:
            os.link(new_index, lock)
        except FileExistsError:
            raise Problem(f"another Git command works here ({lock} exists): wait for it, then try again") \
                from None
        os.replace(lock, self.index)

    def commit_to_branch(self, scratch, merged, branch, message):
        """Commit the merge on a branch, without touching index or working tree; returns whether anything is new.

        A branch that holds one commit of an earlier run is replaced; one with other work is refused.
        """
        reference = f"refs/heads/{branch}"
        self("check-ref-format", reference)
        if f"branch {reference}" in self("worktree", "list", "--porcelain").splitlines():
            raise Problem(f"branch {branch} is checked out: name another")
        tree, before = self.whole_tree(scratch, merged), self("for-each-ref", "--format=%(objectname)", reference)
        if before:
            parents = self("log", "-1", "--format=%P", before).split()
            if parents == [self.head] and self("rev-parse", f"{before}^{{tree}}") == tree:
                return False
            if "Template-commit: " not in self("log", "-1", "--format=%B", before) or len(parents) != 1 \
                    or not self.succeeds("merge-base", "--is-ancestor", parents[0], self.head):
                raise Problem(f"branch {branch} holds other work than an update: name another, or delete it")
        commit = self("commit-tree", tree, "-p", self.head, "-m", message)
        self("update-ref", "-m", "regenerate", reference, commit, before or "0" * len(self.head))
        return True


def shown(names):
    """The first few names, and how many more there are."""
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more" if rest > 0 else "")
