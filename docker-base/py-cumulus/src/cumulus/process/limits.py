"""Limits of processing: the cores of this container, and [limits] of collection.toml."""

import contextlib
import math
import os
import re
import resource
from pathlib import Path

from .. import CumulusError
from ..products.memory import used_data

__all__ = ["confine", "cores", "memory_limited", "worker_count"]

_MB = 10**6
_LIBRARIES = 256 * _MB  # what NumPy, netCDF and matplotlib take when a step imports them


def worker_count():
    """Return how many granules to process at once: PROCESS_WORKERS, by default :func:`cores`.

    Raises
    ------
    CumulusError
        The environment variable is no whole number greater than 0.
    """
    text = os.environ.get("PROCESS_WORKERS", "").strip()
    if not text:
        return cores()
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text):
        raise CumulusError(f"PROCESS_WORKERS must be a whole number from 1, not {text[:40]!r}")
    return int(text)


def cores(root="/"):
    """Return how many cores this process may use: its CPU mask, within its cgroups' quota.

    A quota of one and a half cores counts as two: processing also waits for disks.
    """
    allowed = len(os.sched_getaffinity(0))
    quotas = [quota for folder in _cgroups(Path(root)) if (quota := _quota(folder))]
    return max(1, min(allowed, math.ceil(min(quotas, default=allowed))))


def _cgroups(root):
    """Yield the visible folders of this process's CPU cgroup and of the groups around it.

    Within a container the path may be the host's, which is not there; then the topmost folder is
    the container's own group.
    """
    mounts = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            tops = [mounts, mounts / "unified"]
        elif "cpu" in controllers.split(","):
            tops = [mounts / controllers, mounts / "cpu"]
        else:
            continue
        for top in tops:
            group = top / path.strip("/")
            yield from (group, *(above for above in group.parents if above.is_relative_to(top)))


def _quota(folder):
    """Return the cores that a cgroup grants; None where it has no limit."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number
        return None


def confine(limits, memory=True):
    """Limit this process and its children: no core dumps, size of files, address space.

    Parameters
    ----------
    limits : cumulus.collection.Limits
    memory : bool
        Whether ``memory_mb`` counts for this process.
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, limits.output_mb * _MB)
    if memory:
        _lower(resource.RLIMIT_AS, limits.memory_mb * _MB)


@contextlib.contextmanager
def memory_limited(limits, step):
    """Let this process take no more than ``memory_mb`` beyond what it has, and its libraries.

    Parameters
    ----------
    limits : cumulus.collection.Limits
    step : str
        What runs within the limit.

    Raises
    ------
    CumulusError
        The step needs more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [used_data() + _LIBRARIES + limits.memory_mb * _MB, 2**62]
    allowed += [bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (int(min(allowed)), hard))
    limit = f"[limits].memory_mb in collection.toml is {limits.memory_mb:g}"
    try:
        yield
    except MemoryError as error:
        raise CumulusError(f"{step} needs more memory than it may use: {limit}") from error
    except CumulusError as error:
        if "memory allocation" not in str(error).lower():  # as libraries of C say it
            raise
        raise CumulusError(f"{error} ({limit})") from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _lower(which, value):
    _, hard = resource.getrlimit(which)
    value = int(min(value, 2**62))
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))
