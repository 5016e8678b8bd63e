"""Make a fresh clone ready for processing: the folders of data/, the sample data, .env."""

import os
import re
import subprocess
import sys

from .. import CumulusError
from .exchange import Exchange
from .repository import FOLDERS, copy_file

__all__ = ["check", "fetch", "prepare", "summary"]


def prepare(repository, only_manifest=False):
    """Make data/ ready, with the sample in it, or only write its manifest anew.

    Raises
    ------
    CumulusError
        Something cannot be brought, or data/ is not what the manifest records.
    """
    repository.make_folders()
    with repository.locked():
        Exchange(repository).finish()
        _write_env(repository.home / ".env")
        if only_manifest:
            repository.write_manifest()
        else:
            fetch(repository)


def fetch(repository):
    """Bring the sample from where collection.toml says, and hold it against the manifest."""
    recorded, source = repository.recorded(), repository.source()
    if source is None:
        _copy_starter(repository, recorded)
    elif isinstance(source, str):
        _sync(repository, source, recorded)
    else:
        _copy_folder(repository, source, recorded)
    if recorded is not None:
        check(repository)
    elif repository.files():
        repository.write_manifest()


def check(repository):
    """Hold data/ against the manifest: a reviewer saw that, and others test with it."""
    recorded = repository.recorded() or {}
    differences = list(repository.drift(recorded))
    for line in differences:
        print(line, file=sys.stderr)
    if differences:
        raise CumulusError(
            f"data/ is not what data/{repository.manifest.name} records; "
            f"{repository.remedy(recorded)}"
        )
    if recorded:
        repository.remember()


def summary(repository):
    """Return how many files data/ holds, in a line."""
    names = repository.files()
    parts = []
    for folder, noun in zip(FOLDERS, ("input file", "expected product"), strict=True):
        count = sum(name.startswith(f"{folder}/") for name in names)
        parts.append(f"{count} {noun}{'s' * (count != 1)}")
    return f"data/: {', '.join(parts)}"


def _write_env(path):
    """Tell compose which user runs the containers, so that products belong to the caller."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if not any(line.startswith("UID_GID=") for line in text.splitlines()):
        separator = "\n" if text and not text.endswith("\n") else ""
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{separator}UID_GID={os.getuid()}:{os.getgid()}\n")


def _copy_starter(repository, recorded):
    """Copy the starter sample where it is this repository's: no other file is here or recorded."""
    folder = repository.home / "tests" / "sample"
    starter, here = set(repository.files(folder)), set(repository.files())
    if missing := set(recorded or ()) - starter - here:
        raise CumulusError(
            f"data/{min(missing)} is recorded in data/{repository.manifest.name} but not here, and "
            "collection.toml does not say where it comes from: [sample] uri"
        )
    if here | set(recorded or ()) <= starter and here < starter:
        for name in sorted(starter - here):
            copy_file(folder / name, repository.data / name)
        count = len(starter - here)
        print(f"the starter sample: {count} files copied from tests/sample", file=sys.stderr)


def _copy_folder(repository, folder, recorded):
    """Bring what the manifest records from a folder of the repository, but over no owner's file."""
    offered = repository.states(folder)
    shown = folder.relative_to(repository.home)
    if not offered:
        raise CumulusError(
            f"there is no sample in {shown}/input and {shown}/output, which collection.toml names "
            "([sample] uri)"
        )
    wanted = offered if recorded is None else recorded
    here, own = repository.states(), repository.owners(recorded)
    for name, state in offered.items():
        if name not in own and wanted.get(name) == state != here.get(name):
            copy_file(folder / name, repository.data / name)
    names = sorted(wanted.keys() | offered.keys())
    if behind := [name for name in names if wanted.get(name) != offered.get(name)]:
        raise CumulusError(
            f"{shown}/{behind[0]} is not what data/{repository.manifest.name} records; new files "
            f"belong into data/, and bin/accept-products brings {shown} up to date with it"
        )


def _sync(repository, uri, recorded):
    """Bring what is missing or has changed at the source, but over no owner's file."""
    command = ["aws", "s3", "sync", "--no-progress", uri, str(repository.data), "--exclude", "*"]
    for folder in FOLDERS:
        command += ["--include", f"{folder}/*"]
    for name in repository.owners(recorded):
        command += ["--exclude", re.sub(r"([*?\[])", r"[\1]", name)]
    print(f"+ aws s3 sync {uri} data", flush=True)
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise CumulusError(
            "the AWS CLI is not installed here (the command aws): install it, for example with "
            "pip install awscli"
        ) from None
    if done.returncode:
        raise CumulusError(f"aws s3 sync ended with status {done.returncode}: its message is above")
    if not any((repository.data / "input").iterdir()):
        raise CumulusError(f"there is nothing under {uri.rstrip('/')}/input/: is the URI right?")
