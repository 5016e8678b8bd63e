"""collection.toml: everything about the collection that is not code."""

from .model import BrowseRules, Collection, CompareRules, Limits, MetadataRules, Tolerance, matches
from .reader import load

__all__ = [
    "BrowseRules",
    "Collection",
    "CompareRules",
    "Limits",
    "MetadataRules",
    "Tolerance",
    "load",
    "matches",
]
