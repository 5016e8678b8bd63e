"""Refuse to read a variable whose values exceed memory: a small file may declare billions."""

import contextlib
import math
import resource

from .. import CumulusError

__all__ = ["ensure_fits", "used_data"]

_SMALL = 2**24  # bytes that are not worth a look at the limit
_MASK_AND_NUMBER = 9  # bytes that each value takes further: whether it is there, and unpacked


def ensure_fits(name, shape, itemsize):
    """Make sure that a variable can be read.

    Parameters
    ----------
    name : str
    shape : tuple of int
    itemsize : int
        Bytes of a stored value.

    Raises
    ------
    CumulusError
        It takes more memory than this process may still use, or than the machine has.
    """
    count = math.prod(shape)
    needed = count * (itemsize + _MASK_AND_NUMBER)
    if needed < _SMALL:
        return
    room, limit = _room()
    if needed > room:
        raise CumulusError(
            f"variable {name!r} is not read: its {count:,} values need {needed / 1e6:,.0f} MB, "
            f"and {limit} {max(0, room) / 1e6:,.0f} MB"
        )


def _room():
    """Return how many bytes this process may still use, and a phrase about what allows them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        return soft - used_data(), "[limits].memory_mb in collection.toml leaves"
    available = _number("/proc/meminfo", "MemAvailable:")
    return (math.inf if available is None else available), "the machine has"


def used_data():
    """Return how many bytes of memory this process has taken for its data."""
    return _number("/proc/self/status", "VmData:") or 0


def _number(path, key):
    with contextlib.suppress(OSError), open(path) as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return None
