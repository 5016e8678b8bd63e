"""collection.toml: everything about the collection that is not code."""

from .metadata_rules import MetadataRules
from .reader import BrowseRules, Collection, CompareRules, Limits, Tolerance, load, matches

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
