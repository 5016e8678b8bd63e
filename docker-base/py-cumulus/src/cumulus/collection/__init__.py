"""collection.toml: everything about the collection that is not code."""

from .model import (
    AccessConstraints,
    BrowseRules,
    Collection,
    CompareRules,
    Limits,
    MetadataRules,
    Tolerance,
    matches,
)
from .reader import load

__all__ = [
    "AccessConstraints",
    "BrowseRules",
    "Collection",
    "CompareRules",
    "Limits",
    "MetadataRules",
    "Tolerance",
    "load",
    "matches",
]
