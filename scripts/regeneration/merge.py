"""The three-way merge: the old render, the new render and the repository, as commits of a throw-away repository."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from .git import Problem, write_tree

__all__ = ["Merged", "merge", "store_folder"]

OUTCOMES = {(1, 2, 3): "both changed it", (2, 3): "both added it", (1, 2): "you changed it, the template removes it",
            (1, 3): "you removed it, the template changes it", (1,): "both moved it", (2,): "yours has moved",
            (3,): "the template's has moved"}


@dataclass
class Merged:
    """The files after a merge, and the stages of those in conflict: path -> {stage: (mode, object)}."""

    files: dict
    conflicts: dict = field(default_factory=dict)

    def outcomes(self):
        """One line for each file in conflict."""
        return [f"{path}: {OUTCOMES[tuple(sorted(stages))]}" for path, stages in sorted(self.conflicts.items())]


def store_folder(git, folder):
    """Write the files of a folder as objects, byte for byte; returns path -> (mode, object)."""
    entries, links, paths = {}, [], []
    for directory, folders, names in os.walk(folder):
        for name in [*names, *(name for name in folders if Path(directory, name).is_symlink())]:
            path = Path(directory, name)
            (links if path.is_symlink() else paths).append(path)
    lines = b"".join(os.fsencode(path) + b"\n" for path in paths)
    objects = git("hash-object", "-w", "--no-filters", "--stdin-paths", data=lines).split()
    for path, name in zip(paths, objects, strict=True):
        mode = "100755" if path.stat().st_mode & 0o100 else "100644"
        entries[path.relative_to(folder).as_posix()] = (mode, name)
    for path in links:
        name = git("hash-object", "-w", "--stdin", data=os.fsencode(os.readlink(path)))
        entries[path.relative_to(folder).as_posix()] = ("120000", name)
    return entries


def merge(scratch, base, ours, theirs, label):
    """Merge three sets of files with Git, in a repository that is thrown away.

    Edits follow files that either side renamed. Binary files and files that one side removed and the other changed are
    conflicts. The marks of a conflict name the template's side `label`.
    """
    base, theirs = follow_line_ends(scratch, base, ours, theirs)
    commits = {}
    for name, entries in {"base": base, "ours": ours, "theirs": theirs}.items():
        parent = ["-p", commits["base"]] if commits else []
        commits[name] = scratch("commit-tree", write_tree(scratch, entries), *parent, "-m", name)
    scratch("update-ref", f"refs/heads/{label}", commits["theirs"])
    scratch("checkout", "--quiet", "--detach", commits["ours"])
    # A file that was added to a folder which the other side has renamed is a conflict, neither moved nor left silently.
    settings = ("-c", "merge.renames=true", "-c", "merge.directoryRenames=conflict", "-c", "merge.renameLimit=9999")
    done = scratch.run(*settings, "merge", "--no-commit", "--no-ff", "--quiet", label, allowed=(0, 1))
    merged = read_result(scratch)
    if done.returncode and not merged.conflicts:
        raise Problem("Git could not merge: " + " ".join(os.fsdecode(done.stderr + done.stdout).split()))
    return merged


def read_result(scratch):
    """The merged files; a file in conflict has the content that Git left in its folder, marks included."""
    merged, unmerged = Merged({}), {}
    for entry in filter(None, scratch.run("ls-files", "--stage", "-z").stdout.split(b"\0")):
        details, _, name = entry.partition(b"\t")
        mode, sha, stage = os.fsdecode(details).split()
        path = os.fsdecode(name)
        if stage == "0":
            merged.files[path] = (mode, sha)
        else:
            unmerged.setdefault(path, {})[int(stage)] = (mode, sha)
    for path, stages in unmerged.items():
        merged.conflicts[path] = stages
        here = scratch.folder / path
        mode = next(stages[stage][0] for stage in (2, 3, 1) if stage in stages)
        if here.is_symlink():
            merged.files[path] = (mode, scratch("hash-object", "-w", "--stdin", data=os.fsencode(os.readlink(here))))
        elif here.is_file():
            mode = "100644" if mode == "120000" else mode
            merged.files[path] = (mode, scratch("hash-object", "-w", f"--path={path}", here))
    return merged


def follow_line_ends(scratch, base, ours, theirs):
    """The two renders, with the line ends of the owner's files where these are all CRLF: no line differs by them."""
    base, theirs = dict(base), dict(theirs)
    for path in base.keys() & ours.keys() & theirs.keys():
        if base[path][1] in (ours[path][1], theirs[path][1]) or ours[path][0] == "120000":
            continue
        text = scratch.run("cat-file", "blob", ours[path][1]).stdout
        if not text.count(b"\n") or text.count(b"\r\n") != text.count(b"\n") or b"\0" in text:
            continue
        for entries in (base, theirs):
            mode, name = entries[path]
            render = scratch.run("cat-file", "blob", name).stdout.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            entries[path] = (mode, scratch("hash-object", "-w", "--stdin", data=render))
    return base, theirs
