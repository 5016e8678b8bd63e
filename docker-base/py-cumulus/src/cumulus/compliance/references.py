"""Resolve the names in attributes of variables as CF-1.8 does in groups (section 2.7.1)."""

from .findings import Finding, display_name

__all__ = ["REFERENCES", "coordinate_beside", "dimension_paths", "path_of", "resolve_references"]

# Attributes of which each name is a variable, as CF-1.8, appendix A, lists them. After a "key:",
# or before it in an extended grid_mapping and in cell_methods, names mean other things.
_LISTS = (
    "ancillary_variables", "bounds", "climatology", "coordinates", "geometry", "grid_mapping",
    "interior_ring", "node_coordinates", "node_count", "nodes", "part_node_count",
)  # fmt: skip
_KEYED = ("cell_measures", "formula_terms")
_DIMENSIONS = ("compress", "instance_dimension", "sample_dimension")
REFERENCES = frozenset((*_LISTS, *_KEYED, *_DIMENSIONS, "cell_methods"))
# The checker passes over a missing variable of these, or fails on it.
_UNCHECKED = {"bounds": "§7.1 Cell Boundaries", "climatology": "§7.4 Climatological Statistics"}


def path_of(group, name):
    """Absolute path of a name in a group."""
    return f"{group.path.rstrip('/')}/{name}"


def dimension_paths(variable):
    """Absolute paths of the dimensions of a variable, which may belong to groups above it."""
    return tuple(path_of(dimension.group(), dimension.name) for dimension in variable.get_dims())


def resolve_references(variable, attribute, text):
    """Resolve the names in an attribute of a variable.

    Parameters
    ----------
    variable : netCDF4.Variable
    attribute : str
    text : str
        Value of the attribute.

    Returns
    -------
    references : list of (str, str)
        Each word of the value with the absolute path of what it names, "" if it names nothing.
    findings : list of Finding
        What the checker cannot see: missing bounds, and dimensions that only share a name.
    """
    references, findings = [], []
    for word in text.split():
        path, other = _resolve(variable, attribute, word)
        references.append((word, path))
        message = ""
        if attribute in _UNCHECKED and not path:
            message = f"{_UNCHECKED[attribute]}: {attribute} names {word}, which does not exist"
        elif other is not None and (name := _shared_name(variable, other)):
            message = f"§2.7.1 Scope: {word} has another dimension {name} than the variable"
        if message:
            subject = display_name(path_of(variable.group(), variable.name))
            findings.append(Finding("cf", "error", subject, attribute, message))
    return references, findings


def coordinate_beside(dimension):
    """Path of the coordinate variable of a dimension: in its group, else in one below it.

    The groups below are searched level by level (lateral search, section 2.7.1).
    """
    path, level = path_of(dimension.group(), dimension.name), [dimension.group()]
    while level:
        for group in level:
            variable = group.variables.get(dimension.name)
            if variable is not None and dimension_paths(variable) == (path,):
                return path_of(group, dimension.name)
        level = [child for group in level for child in group.groups.values()]
    return ""


def _resolve(variable, attribute, word):
    """Path of what a word names, and the variable if it is one."""
    group, name = variable.group(), word.rstrip(":")
    if attribute in _DIMENSIONS:
        return _search(group, name, "dimensions")[0], None
    if attribute == "cell_methods":
        if not word.endswith(":"):
            return "", None
        path, other = _search(group, name, "variables")
        return path or _search(group, name, "dimensions")[0], other
    if attribute in _LISTS or (attribute in _KEYED and not word.endswith(":")):
        return _search(group, name, "variables")
    return "", None


def _search(group, name, kind):
    """Find a variable or dimension by absolute path, by relative path, or by proximity."""
    if name.startswith("/"):
        while group.parent is not None:
            group = group.parent
        return _follow(group, name[1:], kind)
    if "/" in name:
        return _follow(group, name, kind)
    while group is not None:
        if name in getattr(group, kind):
            return path_of(group, name), getattr(group, kind)[name]
        group = group.parent
    return "", None


def _follow(group, path, kind):
    *steps, name = path.split("/")
    for step in steps:
        group = group.parent if step == ".." else group.groups.get(step)
        if group is None:
            return "", None
    if name not in getattr(group, kind):
        return "", None
    return path_of(group, name), getattr(group, kind)[name]


def _shared_name(variable, other):
    """A dimension of another group's variable that has the name of a different dimension here."""
    own = dict(zip(variable.dimensions, dimension_paths(variable), strict=True))
    theirs = dict(zip(other.dimensions, dimension_paths(other), strict=True))
    return next((name for name in own if theirs.get(name, own[name]) != own[name]), "")
