"""Undo an update, or what of it was done before it was interrupted: bin/regenerate --abort runs this.

scripts/regenerate puts this file beside journal.json, which names the repository, the commit that it was at, and each
file that the update changes; `before` holds these files as they were, and `index` is Git's index as it was.
Exit status: 0 the repository is as it was, 1 not, and why.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def remove(path):
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        with contextlib.suppress(OSError):  # not empty: the owner's files
            path.rmdir()


def put_back(saved, path):
    """Make `path` what it was, by a file beside it that is renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.regenerate-undo")
    remove(beside)
    shutil.copy2(saved, beside, follow_symlinks=False)
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    os.replace(beside, path)


def undo(journal):
    """Put every file back, then the index, then forget the update."""
    top = Path(journal["top"])
    for name in journal["created"]:
        remove(top / name)
    for name in journal["new_folders"]:  # deepest first
        remove(top / name)
    for number, name in enumerate(journal["changed"]):
        put_back(HERE / "before" / str(number), top / name)
    index, lock = Path(journal["index"]), Path(journal["index"] + ".lock")
    if lock.exists() and (HERE / "new-index").exists() and lock.samefile(HERE / "new-index"):
        lock.unlink()
    shutil.copy2(HERE / "index", HERE / "old-index")
    os.replace(HERE / "old-index", index)
    Path(journal["message"]).unlink(missing_ok=True)
    gone = HERE.with_name(f"{HERE.name}.undone")
    shutil.rmtree(gone, ignore_errors=True)
    os.rename(HERE, gone)
    shutil.rmtree(gone)


def main():
    journal = json.loads((HERE / "journal.json").read_text(encoding="utf-8"))
    done = subprocess.run(["git", "-C", journal["top"], "rev-parse", "HEAD"], capture_output=True, text=True,
                          check=False)
    if done.stdout.strip() != journal["head"]:
        sys.exit("regenerate: the repository has another commit than before the update, so there is nothing to abort: "
                 "undo a commit with git revert, or git reset")
    undo(journal)
    print("The update is undone: the repository is as it was before.")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"regenerate: the update is not undone ({error}): mend this, and abort again")
