"""What CF-1.8 asks of groups themselves (section 2.7); the checker reads the root group alone."""

import re

from .findings import WHOLE, Finding

__all__ = ["check_groups"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ROOT_ALONE = ("Conventions", "external_variables")
# Attributes that CF-1.8, appendix A, gives to variables and not to groups.
_OF_VARIABLES = {
    "_FillValue", "add_offset", "ancillary_variables", "axis", "bounds", "calendar",
    "cell_measures", "cell_methods", "climatology", "coordinates", "flag_masks", "flag_meanings",
    "flag_values", "formula_terms", "grid_mapping", "long_name", "missing_value", "positive",
    "scale_factor", "standard_name", "units", "valid_max", "valid_min", "valid_range",
}  # fmt: skip


def check_groups(dataset):
    """Yield the Findings about the groups of a dataset, and about the names in them."""
    version = re.search(r"CF-1\.(\d+)", str(getattr(dataset, "Conventions", "")))
    if dataset.groups and version and int(version[1]) < 8:
        message = "§2.7 Groups: CF has groups since CF-1.8"
        yield Finding("cf", "warning", WHOLE, "Conventions", message, "CF-1.8")
    groups = list(dataset.groups.values())
    for group in groups:
        groups += group.groups.values()
        yield from _check_names(group)
        for name in group.ncattrs():
            if name in _ROOT_ALONE:
                message = f"§2.7.2 {name} is an attribute of the root group alone"
                yield Finding("cf", "error", group.path, "", message)
            elif name in _OF_VARIABLES:
                message = f"§2.7.2 {name} is an attribute of variables, not of groups"
                yield Finding("cf", "error", group.path, "", message)


def _check_names(group):
    names = [("group", group.name, group.path)]
    names += [("variable", name, f"{group.path}/{name}") for name in group.variables]
    names += [("dimension", name, f"{group.path}/{name}") for name in group.dimensions]
    for what, name, path in names:
        if not _NAME.fullmatch(name):
            message = (
                f"§2.3 Naming Conventions: {what} {name!r} should begin with a letter and be "
                "composed of letters, digits, and underscores"
            )
            attribute = "name" if what == "variable" else ""
            yield Finding("cf", "warning", path, attribute, message)
