"""Compare products with the expected ones and name every difference."""

from ..files import files_of
from .directories import compare, compare_files
from .model import FileResult, Unreadable
from .summary import report

__all__ = [
    "FileResult",
    "Unreadable",
    "compare",
    "compare_files",
    "files_of",
    "report",
]
