"""Check products against CF and ACDD."""

from .checker import check
from .findings import Checked, Finding
from .reporting import report

__all__ = [
    "Checked",
    "Finding",
    "check",
    "report",
]
