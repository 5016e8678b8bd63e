"""Collect the metadata record of a product and write it as ECHO10 (XML) and UMM-G (JSON)."""

import contextlib
import hashlib
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from . import CumulusError
from .extents import find_extent
from .formats import netcdf_format
from .records import GranuleRecord, render_echo10, render_ummg

__all__ = ["GranuleRecord", "make_record", "write_metadata", "write_record", "write_ummg"]

RENDERERS = {"metadata": render_echo10, "cmr": render_ummg}  # by name of the product


def write_metadata(filename, dataid, dataname="", outdir="./", **details):
    """Write the ECHO10 record of a product to ``<outdir>/<basename>.meta.xml``.

    Parameters
    ----------
    filename : path-like
        The product.
    dataid : str
        Short name of the collection.
    dataname : str, optional
        Accepted as it always was; nothing is made of it.
    outdir : path-like, optional
        An existing directory.
    **details
        ``version``, ``provider``, ``time_sources``, ``groups``, ``input_granules``,
        ``access_url``, ``names``: see :func:`make_record`.

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


def make_record(
    filename,
    dataid,
    *,
    version=None,
    provider="",
    time_sources=("product",),
    groups=None,
    input_granules=(),
    access_url="",
    names=None,
):
    """Collect the record of a product.

    Parameters
    ----------
    filename : path-like
        The product.
    dataid : str
        Short name of the collection.
    version : str, optional
        VersionId of the collection; by default the environment variable VERSION, else "1".
    provider : str, optional
        Fills ``{provider}`` in ``access_url``.
    time_sources : sequence of str
        "filename" and "product" in the order in which they are asked.
    groups : mapping of str to str, optional
        What the granule's file name says: ``id``, and for "filename" ``date``, ``begin``, ``end``.
    input_granules : sequence of str
        Names of the files that the product was made from.
    access_url : str
        Template of the download address; the placeholders are ``{short_name}``, ``{version}``,
        ``{provider}``, ``{file}`` and the keys of ``groups`` and ``names``.
    names : mapping of str to str, optional
        File name of each product, for ``access_url``.

    Returns
    -------
    GranuleRecord
    """
    if not dataid or not str(dataid).strip():
        raise CumulusError(
            "write_metadata needs dataid, the collection's short name "
            "(short_name in collection.toml, or the environment variable SHORT_NAME)"
        )
    product = Path(filename)
    version = version or os.environ.get("VERSION") or "1"
    try:
        size, sha256 = product.stat().st_size, _sha256(product)
        data_format = netcdf_format(product)
    except OSError as error:
        raise CumulusError(f"cannot read {str(product)!r}: {error.strerror or error}") from error
    values = {"short_name": dataid, "version": version, "provider": provider}
    values |= {"file": product.name, **(groups or {}), **(names or {})}
    return GranuleRecord(
        granule_ur=product.name,
        short_name=str(dataid),
        version=str(version),
        written=datetime.now(UTC).replace(microsecond=0),
        size=size,
        sha256=sha256,
        data_format=data_format,
        extent=find_extent(product, time_sources, groups),
        input_granules=tuple(dict.fromkeys(input_granules)),  # UMM-G wants each once
        access_url=_fill(access_url, values),
    )


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fill(template, values):
    try:
        return template.format(**{key: quote(str(one), safe="") for key, one in values.items()})
    except (KeyError, IndexError) as error:
        raise CumulusError(
            f"access_url: placeholder {error} is not known in {template!r}"
        ) from error


def write_record(record, path, product):
    """Write a record, ECHO10 as product "metadata" or UMM-G as product "cmr".

    It appears at ``path`` whole or not at all.
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
