"""The file names of a granule's products."""

import os

from .. import CumulusError
from ..files import has_control_character

__all__ = ["product_names"]

MAX_NAME = 255  # bytes of a file name on every common file system


def product_names(collection, groups):
    """Return the file name of each product of a granule.

    Parameters
    ----------
    collection : cumulus.collection.Collection
    groups : dict of str to str
        Named groups of [granule] id in the name of the primary input.

    Raises
    ------
    CumulusError
        A name is hidden, no UTF-8, has a slash or a control character, or is longer than
        255 bytes.
    """
    names = {key: template.format(**groups) for key, template in collection.products.items()}
    for key, name in names.items():
        length = len(os.fsencode(name))
        if length > MAX_NAME:
            raise CumulusError(
                f"the name of product {key!r} would be {length} bytes long, "
                f"file systems allow {MAX_NAME}: {name[:40]!r}..."
            )
        if has_control_character(name):
            raise CumulusError(
                f"product {key!r} would be named {name!r}, with a line break or control character"
            )
        if "/" in name or name.startswith(".") or not _is_text(name):
            raise CumulusError(f"product {key!r} cannot be named {name!r}")
    if len(set(names.values())) < len(names):
        raise CumulusError(
            f"two of its products would have the same name: {sorted(names.values())}"
        )
    return names


def _is_text(name):
    """Whether the name is valid UTF-8, which the NetCDF library and metadata need."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False
