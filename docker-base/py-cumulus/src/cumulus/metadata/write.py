"""Write the metadata record of a product as ECHO10 (XML) and UMM-G (JSON)."""

import contextlib
import os
import secrets
from pathlib import Path

from .. import CumulusError
from ..logutils.lines import log_fields
from ..products.inspection import inspect
from .echo10 import render_echo10
from .record import make_record
from .requirements import refuse_missing_parts
from .ummg import render_ummg

__all__ = ["write_granule_records", "write_metadata", "write_record", "write_ummg"]

RENDERERS = {"metadata": render_echo10, "cmr": render_ummg}


def write_metadata(filename, dataid, dataname="", outdir="./", **details):
    """Write the ECHO10 record of a product to ``<outdir>/<basename>.meta.xml``.

    Parameters
    ----------
    filename : path-like
        The product.
    dataid : str
        Short name of the collection.
    dataname : str, optional
        Accepted for compatibility; it has no effect.
    outdir : path-like, optional
        An existing directory.
    **details
        ``version``, ``provider``, ``extent``, ``rules``, ``spatial``, ``groups``, ``sidecar``,
        ``input_granules``, ``names``, ``revision``: see :class:`cumulus.metadata.record.Details`.

    Returns
    -------
    str
        Path of the record.

    Raises
    ------
    CumulusError
        ``dataid`` is empty, the product cannot be read, or the record cannot be written.
    """
    path = os.path.join(outdir, os.path.basename(filename) + ".meta.xml")
    write_record(make_record(filename, dataid, **details), path, "metadata")
    return path


def write_ummg(filename, dataid, outdir="./", **details):
    """Write the UMM-G record of a product to ``<outdir>/<name without its suffix>.cmr.json``.

    Parameters and errors are those of :func:`write_metadata`.

    Returns
    -------
    str
        Path of the record.
    """
    path = os.path.join(outdir, Path(filename).stem + ".cmr.json")
    write_record(make_record(filename, dataid, **details), path, "cmr")
    return path


def write_granule_records(granule, extent=None, inspect=inspect):
    """Write the declared records of a granule's primary product, as collection.toml describes.

    Parameters
    ----------
    granule : cumulus.process.Granule
    extent : callable, mapping or Extent, optional
        Time and place, or a function of the granule that returns them: the source "function".
    inspect : callable, optional
        Returns the Product at a path, perhaps one that the caller has inspected before.

    Returns
    -------
    GranuleRecord or None
        None: the granule declares no record.

    Raises
    ------
    CumulusError
        As :func:`make_record`; ``extent`` is given and collection.toml would never ask it; or the
        records, which are written then, lack a part that collection.toml requires.
    """
    wanted = [key for key in RENDERERS if key in granule.products]
    if not wanted:
        return None
    collection = granule.collection
    rules = collection.metadata
    if extent is not None and "function" not in (*rules.time, *rules.place):
        raise CumulusError(
            "write_metadata was given an extent, but neither time nor place in [metadata] of "
            f"{collection.path} lists 'function'"
        )
    with log_fields(granule_id=granule.id):  # warnings name the granule
        record = make_record(
            granule.products["data"],
            collection.short_name,
            inspect(granule.products["data"]),
            version=collection.version,
            provider=collection.provider,
            extent=extent(granule) if callable(extent) else extent,
            rules=rules,
            spatial=collection.spatial,
            groups=granule.groups,
            sidecar=granule.inputs.get(rules.sidecar),
            input_granules=[path.name for path in granule.inputs.values()],
            names={key: path.name for key, path in granule.products.items()},
        )
    for key in wanted:  # in scratch: no temporary name is needed
        granule.products[key].write_text(RENDERERS[key](record), encoding="utf-8", newline="\n")
    refuse_missing_parts(record, collection)
    return record


def write_record(record, path, product):
    """Write a record, ECHO10 as product "metadata" or UMM-G as product "cmr".

    The file appears at ``path`` complete, or it does not appear.
    """
    _write(RENDERERS[product](record), path)


def _write(text, path):
    temporary = os.path.join(os.path.dirname(path), f".cumulus-{secrets.token_hex(8)}")
    try:
        try:
            with open(temporary, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise CumulusError(f"cannot write {str(path)!r}: {error.strerror}") from error
