"""How much memory a granule takes, as far as the kernel tells."""

import contextlib

__all__ = ["PeakMemory"]


class PeakMemory:
    """Peak memory of this process and of a converter, counted from now on.

    Parameters
    ----------
    converter : cumulus.process.converter.Converter
    """

    def __init__(self, converter):
        self._converter = converter
        for pid in self._pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")  # sets the peak to what is used now

    def peak_mb(self):
        """Return the peak of the larger process in millions of bytes; None where it is unknown."""
        peaks = []
        for pid in self._pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:
                peaks += [int(line.split()[1]) for line in file if line.startswith("VmHWM:")]
        return round(max(peaks) * 1024 / 1e6, 1) if peaks else None

    def _pids(self):
        return [pid for pid in ("self", self._converter.pid) if pid]
