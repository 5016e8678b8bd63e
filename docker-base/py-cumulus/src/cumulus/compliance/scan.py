"""Read a product for its check: what the checker needs, and what it does not look at itself."""

from dataclasses import dataclass

import h5py
import netCDF4

from .. import CumulusError
from ..products.obstacles import refuse_data_elsewhere
from .findings import Finding, display_name
from .flat import all_groups, flat_names, flatten
from .groups import check_groups
from .references import REFERENCES, path_of, resolve_references

__all__ = ["Scan", "scan"]

# What netCDF writes into a dimension without coordinate variable, an HDF5 dataset.
_BARE_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"
# Packed types that CF allows from CF-1.11 on, with the types of scale_factor and add_offset.
_PACKED_SINCE_1_11 = {"u1": "fd", "u2": "fd", "u4": "d"}


@dataclass(frozen=True)
class Scan:
    """What a product says of itself.

    Attributes
    ----------
    conventions : str
    names : dict
        Standard name of each variable by its display name: "" without the attribute, "undefined"
        if it is empty.
    paths : dict
        Display name of each name in the flat copy; empty if the product itself can be checked.
    packed : tuple of str
        Packed variables of unsigned types that CF allows from CF-1.11 on.
    findings : tuple of Finding
        What the checker does not look at.
    not_checked : tuple of str
    """

    conventions: str
    names: dict
    paths: dict
    packed: tuple[str, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]


def scan(product, flat=None):
    """Read a product; write a flat copy of it if the checker cannot read the product itself.

    Parameters
    ----------
    product : path-like
    flat : path-like, optional
        The copy of a product with groups, or with bounds that do not exist.

    Raises
    ------
    CumulusError
        The file cannot be read, or some of its data lie in other files.
    """
    try:
        refuse_data_elsewhere(product)
        with netCDF4.Dataset(product) as dataset:
            variables = [v for group in all_groups(dataset) for v in group.variables.values()]
            findings = [*check_groups(dataset), *_check_references(variables)]
            paths, not_checked = {}, _not_shown(product, dataset)
            if flat and (dataset.groups or findings):
                names = flat_names(dataset)
                not_checked += flatten(dataset, flat, names)
                paths = {name: display_name(path) for path, name in names.items()}
            return Scan(
                str(getattr(dataset, "Conventions", "")),
                {_name(variable): _standard_name(variable) for variable in variables},
                paths,
                tuple(_name(variable) for variable in variables if _is_packed(variable)),
                tuple(findings),
                not_checked,
            )
    except OSError as error:
        why = error.strerror or error
        raise CumulusError(f"cannot check {str(product)!r}: {why}") from error


def _check_references(variables):
    for variable in variables:
        for attribute in REFERENCES.intersection(variable.ncattrs()):
            value = variable.getncattr(attribute)
            if isinstance(value, str):
                yield from resolve_references(variable, attribute, value)[1]


def _name(variable):
    return display_name(path_of(variable.group(), variable.name))


def _standard_name(variable):
    standard = getattr(variable, "standard_name", None)
    # The checker's messages call an empty standard name "undefined".
    return "" if standard is None else str(standard) or "undefined"


def _is_packed(variable):
    kinds = _PACKED_SINCE_1_11.get(getattr(variable.dtype, "str", "")[1:], "")
    factors = [getattr(variable, name, None) for name in ("scale_factor", "add_offset")]
    types = [getattr(factor, "dtype", None) for factor in factors if factor is not None]
    return bool(types) and all(dtype is not None and dtype.char in kinds for dtype in types)


def _not_shown(product, dataset):
    """HDF5 datasets of types that the NetCDF library does not show."""
    if not h5py.is_hdf5(product):
        return ()
    shown = {path_of(group, name) for group in all_groups(dataset) for name in group.variables}
    lacking = []

    def visit(path, member):
        if not isinstance(member, h5py.Dataset) or f"/{path}" in shown:
            return
        if not bytes(member.attrs.get("NAME", b"")).startswith(_BARE_DIMENSION):
            lacking.append(f"dataset /{path}: the NetCDF library does not show it")

    with h5py.File(product) as file:
        file.visititems(visit)
    return tuple(lacking)
