"""Collect the metadata record of a product and write it as ECHO10 (XML) and UMM-G (JSON)."""

import contextlib
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from .. import CumulusError
from ..collection.metadata_rules import MetadataRules
from ..extent import Box, Extent
from ..logutils.lines import log_fields
from ..process.completion import checksum
from ..products import inspection
from .record import GranuleRecord, render_echo10, render_ummg
from .sources import find_extent

__all__ = [
    "Box",
    "Extent",
    "GranuleRecord",
    "make_record",
    "write_granule_records",
    "write_metadata",
    "write_record",
    "write_ummg",
]

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
        ``version``, ``provider``, ``extent``, ``rules``, ``groups``, ``sidecar``,
        ``input_granules``, ``names``, ``revision``: see :func:`make_record`.

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


def write_granule_records(granule, extent=None):
    """Write the declared records of a granule's primary product, as collection.toml describes.

    Parameters
    ----------
    granule : cumulus.process.Granule
    extent : callable, mapping or Extent, optional
        When and where, or a function of the granule that returns it: the source "function".

    Returns
    -------
    GranuleRecord or None
        None: the granule declares no record.

    Raises
    ------
    CumulusError
        As :func:`make_record`; or ``extent`` is given and collection.toml would never ask it.
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
    with log_fields(granule_id=granule.id):  # warnings say whose they are
        record = make_record(
            granule.products["data"],
            collection.short_name,
            version=collection.version,
            provider=collection.provider,
            extent=extent(granule) if callable(extent) else extent,
            rules=rules,
            groups=granule.groups,
            sidecar=granule.inputs.get(rules.sidecar),
            input_granules=[path.name for path in granule.inputs.values()],
            names={key: path.name for key, path in granule.products.items()},
        )
    for key in wanted:  # in scratch, where nothing needs to appear at once
        granule.products[key].write_text(RENDERERS[key](record), encoding="utf-8", newline="\n")
    return record


def make_record(
    filename,
    dataid,
    *,
    version=None,
    provider="",
    extent=None,
    rules=None,
    groups=None,
    sidecar=None,
    input_granules=(),
    names=None,
    revision=None,
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
        Fills ``{provider}`` in the access URL.
    extent : Extent or mapping, optional
        The source "function": what the caller knows of ``begin`` and ``end`` (UTC) and ``west``,
        ``south``, ``east`` and ``north``.
    rules : MetadataRules, optional
        In which order the sources are asked, fixed values, polygon, access URL; by default every
        source in the usual order.
    groups : mapping of str to str, optional
        What the granule's file name says: ``id``, and for "filename" ``date``, ``begin``, ``end``
        and others.
    sidecar : path-like, optional
        The file of the source "sidecar".
    input_granules : sequence of str
        Names of the files that the product was made from.
    names : mapping of str to str, optional
        File name of each product, for the access URL.
    revision : str, optional
        Of the code that made the product; by default the environment variable IMAGE_REVISION,
        which the image sets, else "unknown".

    Returns
    -------
    GranuleRecord

    Raises
    ------
    CumulusError
        ``dataid`` is empty, the product cannot be read, or something contradicts itself.
    """
    if not dataid or not str(dataid).strip():
        raise CumulusError(
            "write_metadata needs dataid, the collection's short name "
            "(short_name in collection.toml, or the environment variable SHORT_NAME)"
        )
    product, rules = Path(filename), rules or MetadataRules()
    version = str(version or os.environ.get("VERSION") or "1")
    found = inspection.inspect(product)
    values = {"short_name": dataid, "version": version, "provider": provider}
    values |= {"file": product.name, **(groups or {}), **(names or {})}
    try:
        return GranuleRecord(
            granule_ur=product.name,
            short_name=str(dataid),
            version=version,
            written=datetime.now(UTC).replace(microsecond=0),
            size=product.stat().st_size,
            sha256=checksum(product),
            data_format=found.data_format,
            extent=find_extent(
                product,
                rules.time,
                groups,
                place=rules.place,
                extent=extent,
                sidecar=sidecar,
                fixed=rules.fixed,
                polygon=rules.polygon,
            ),
            input_granules=tuple(dict.fromkeys(input_granules)),  # UMM-G wants each once
            access_url=_fill(rules.access_url, values),
            revision=revision or os.environ.get("IMAGE_REVISION") or "unknown",
        )
    except OSError as error:
        raise CumulusError(f"cannot read {str(product)!r}: {error.strerror or error}") from error
    finally:
        inspection.forget()


def _fill(template, values):
    """Put values into the template; names of files count byte by byte, be they UTF-8 or not."""
    quoted = {
        key: quote(str(one), safe="", errors="surrogateescape") for key, one in values.items()
    }
    try:
        return template.format(**quoted)
    except (KeyError, IndexError) as error:
        raise CumulusError(
            f"access_url: placeholder {error} is not known in {template!r}"
        ) from error
    except (ValueError, AttributeError, TypeError) as error:  # braces that do not match, {a.b}
        raise CumulusError(f"access_url: {template!r} is no template: {error}") from error


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
