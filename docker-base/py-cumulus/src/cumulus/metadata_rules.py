"""Old name: :mod:`cumulus.collection` holds MetadataRules now. It goes with the next release."""

import warnings

from .collection import MetadataRules

__all__ = ["MetadataRules"]

warnings.warn(
    "cumulus.metadata_rules is deprecated: import MetadataRules from cumulus.collection",
    DeprecationWarning,
    stacklevel=2,
)
