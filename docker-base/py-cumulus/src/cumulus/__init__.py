"""Runtime of process handlers: granule loop, logging, metadata and comparison.

Modules import downwards only: ``__main__`` -> ``process`` -> ``pool`` -> ``worker`` -> ``granule``
-> ``metadata``, ``compare`` -> ``collection``, ``logutils``. NumPy and netCDF4 are imported inside
the functions that need them, so that a handler's ``--help`` answers at once.
"""

__all__ = ["CumulusError", "__version__"]
__version__ = "0.2.0"


class CumulusError(Exception):
    """A failure that one sentence explains: what failed, what was expected, what to do next."""
