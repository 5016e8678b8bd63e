"""Products that a test run did not write: they are recorded, and count as missing."""

import contextlib
import json
import os
from pathlib import Path

from ..files import STATE, files_of, refuse_state_links

__all__ = ["left_over", "stamps_of", "write_stale"]

# Products that the last test run did not write: name -> time of modification in nanoseconds.
LEFT_OVER = Path(STATE, "left-over.json")


def write_stale(output, stale):
    """Record which products the run did not write, for a later comparison or acceptance."""
    refuse_state_links(output)
    with contextlib.suppress(OSError):  # the handler reports what is wrong with the directory
        path = Path(output, LEFT_OVER)
        path.parent.mkdir(exist_ok=True)
        modified = {name: stamp[1] for name, stamp in stale.items()}
        path.write_text(json.dumps(modified, indent=2) + "\n", encoding="utf-8")


def left_over(directory):
    """Return the products that the last test run left from an earlier run."""
    refuse_state_links(directory)
    try:
        recorded = json.loads(Path(directory, LEFT_OVER).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no test run, or it was killed while writing
        return set()
    if not isinstance(recorded, dict):
        return set()
    stamps = stamps_of(directory)
    return {name for name, time in recorded.items() if name in stamps and stamps[name][1] == time}


def stamps_of(directory):
    """Return inode and times of each product: they change when it is written anew."""
    stamps = {}
    if not os.path.isdir(directory):  # the handler reports what is wrong with it
        return stamps
    for name in files_of(directory):
        state = os.stat(os.path.join(directory, name), follow_symlinks=False)
        stamps[name] = state.st_ino, state.st_mtime_ns, state.st_ctime_ns
    return stamps
