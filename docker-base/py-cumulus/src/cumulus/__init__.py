"""Runtime of process handlers: granule loop, logging, metadata and comparison.

A package is a room: its modules import from each other and from rooms below, never from the face
(``__init__``) of their own room. Downwards: ``__main__``, ``commands`` -> ``process`` ->
``metadata``, ``browse``, ``compare``, ``compliance`` -> ``collection``, ``products`` -> ``extent``,
``files``, ``isolation``, ``logutils``. NumPy and netCDF4 are imported inside the functions that
need them, so that a handler's ``--help`` answers at once.
"""

__all__ = ["CumulusError", "__version__"]
__version__ = "0.2.0"


class CumulusError(Exception):
    """A failure that one sentence explains: what failed, what was expected, what to do next."""
