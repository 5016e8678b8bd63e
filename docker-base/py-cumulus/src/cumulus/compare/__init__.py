"""Compare products with the expected ones and name every difference."""

from .directories import Unreadable, compare, compare_files, files_of, report
from .model import FileResult

__all__ = [
    "FileResult",
    "Unreadable",
    "compare",
    "compare_files",
    "files_of",
    "report",
]
