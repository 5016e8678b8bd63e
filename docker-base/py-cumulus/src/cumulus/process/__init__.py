"""The runtime of a process handler."""

from .granule import Granule, check_output
from .handler import main
from .run import Summary, process_granules

__all__ = [
    "Granule",
    "Summary",
    "check_output",
    "main",
    "process_granules",
]
