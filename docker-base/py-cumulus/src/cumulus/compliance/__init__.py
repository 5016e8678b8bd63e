"""Check products against CF and ACDD."""

from .checker import Checked, Finding, check, report

__all__ = [
    "Checked",
    "Finding",
    "check",
    "report",
]
