"""The versions of the template: a clone of it, whose HEAD is the version to bring."""

import json
import re
import sys

from .git import Git, Problem, listing

__all__ = ["Template"]

RELEASE = re.compile(r"v\d+(\.\d+)*")


class Template(Git):
    """A clone of the template, and the address under which the record names it."""

    def __init__(self, folder, address):
        super().__init__(folder)
        self.address = address
        self.target = self("rev-parse", "--verify", "HEAD")

    def release(self, commit):
        """The release tag of a commit, or None."""
        tags = [tag for tag in self("tag", "--points-at", commit).splitlines() if RELEASE.fullmatch(tag)]
        return tags[-1] if tags else None

    def name(self, commit):
        """What a person calls a commit: its release, else the begin of its name and its date."""
        return self.release(commit) or self("log", "-1", "--format=%h (%cs)", commit)

    def has(self, commit):
        """Whether the commit is here; where it is not, it is asked for once, as servers give what no branch holds."""
        return self.succeeds("cat-file", "-e", f"{commit}^{{commit}}") or (
            len(commit) >= 40 and self.succeeds("fetch", "--quiet", "--", self.address, commit))

    def is_ancestor(self, older, newer):
        return self.succeeds("merge-base", "--is-ancestor", older, newer)

    def files(self, commit, folder):
        """The template's files of a commit, in a folder of their own below `folder`."""
        target = folder / f"template-{commit}"
        if not target.exists():
            index = {"GIT_INDEX_FILE": str(folder / "template-index")}
            self("read-tree", commit, **index)
            self("-c", "core.autocrlf=false", "checkout-index", "--all", "--quiet", f"--prefix={target}/", **index)
        return target

    def text(self, commit, path):
        """A text file of a commit, "" where it has none."""
        done = self.run("show", f"{commit}:{path}", allowed=(0, 128))
        return "" if done.returncode else done.stdout.decode("utf-8", "replace")

    def versions(self):
        """The commits that may have rendered a repository, newest first: each renders otherwise than its neighbour."""
        paths = ["cookiecutter.json", ":(glob)*cookiecutter.*/**"]
        return self("log", "--all", "--topo-order", "--format=%H", "HEAD", "--", *paths).splitlines()

    def check_is_clean(self):
        """Warn where the files of the clone are not those of its HEAD, which alone count."""
        if self("status", "--porcelain"):
            print(f"Warning: {self.folder} has uncommitted changes, which are not brought", file=sys.stderr)

    def read_migrations(self, base):
        """The files of migrations that the template has and the commit `base` lacks, in the order of their names."""
        earlier = set(listing(self, base)) if base else set()
        names = [path for path in listing(self, self.target)
                 if re.fullmatch(r"migrations/[^/]+\.toml", path) and path not in earlier]
        return {name: self.text(self.target, name) for name in sorted(names)}

    def questions(self, commit):
        """cookiecutter.json of a commit."""
        try:
            return json.loads(self.text(commit, "cookiecutter.json"))
        except ValueError as error:
            raise Problem(f"commit {commit[:9]} of {self.address} holds no cookiecutter.json that can be read: "
                          "name another version") from error
