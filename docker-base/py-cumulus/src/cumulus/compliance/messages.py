"""Read the messages of compliance-checker: which variable and which attribute they are about."""

import re

from .findings import WHOLE, Finding

__all__ = ["find_attribute", "find_subject", "read_group"]

_MISSING = re.compile(r'variable "(?P<name>.+)" missing the following attributes:')
# CF only recommends this order, and no row of a converter's table can change it.
_ORDER = "not in the recommended order"
_ORDER_ADVICE = "the dimensions are not in the order T, Z, Y, X that CF recommends"
# The first pattern that matches gives the attribute to set. In other messages a name may be a
# common word or an existing attribute, so that they get no suggestion.
_NAMED = (
    r"([A-Za-z]\w*) global attribute",
    r"global attribute (\w+)",
    r"^Attr (\w+)",
    r"^(\w+)(?:/\w+)* (?:attribute )?not (?:present|found)",
    r"recommended that the (\w+) attribute",
    r"""[Aa]ttribute ["']?(long_name|flag_meanings|calendar|_FillValue)\b""",
    r"(?:include|define) an? (\w+) attribute",
    r"(?:'s|should have) (\w+) (?:is a required )?attribute",
    r"must map to the correct (\w+)",
    r"(\w+)'? attribute (?:of variable|is required|must be|for variable|needs)",
    r"\b(standard_name|units|flag_values|flag_meanings|cell_methods|featureType|Conventions)\b",
)
_UNSURE = re.compile(
    r"(?:must|should) not (?:have|be present)|must be unset|deprecated|requires exactly"
)
_SINCE_CF_1_9 = re.compile(r"datatype is (?:uint\d+|int64)")
# Said of packed variables without their name, in each version; other checks name the variable.
_PACKED = "Variable is not of type byte, short, or int as required"
_PACKED_BEFORE_1_11 = "must be of type byte, short, or int and"
_WORD = re.compile(r"\w+")


def read_group(suite, severity, group, about):
    """Yield the Findings of one group of the checker's messages.

    Parameters
    ----------
    suite : str
        Such as "cf:1.8".
    severity : str
    group : dict
        The checker's section: ``name`` and ``msgs``.
    about : Scan
        What is known of the product.
    """
    section = _with_paths(group["name"], about)
    if missing := _MISSING.fullmatch(section):
        for attribute in group["msgs"]:
            message = f"the attribute {attribute} is missing"
            yield Finding(suite, severity, missing["name"], attribute, message)
        return
    for message in group["msgs"]:
        if message.startswith(_PACKED):
            continue
        message = _with_paths(message, about)
        subject = find_subject(message, about.names)
        if _ORDER in message:
            yield Finding(suite, "advice", subject, "", _ORDER_ADVICE)
            continue
        attribute, value = find_attribute(section, message), ""
        if attribute == "Conventions":
            value = "CF-1.9" if subject != WHOLE else ""
        if subject in about.packed and (value or _PACKED_BEFORE_1_11 in message):
            attribute, value = "Conventions", "CF-1.11"
        if suite.startswith("cf") and not message.startswith("§"):
            message = f"{section}: {message}"
        yield Finding(suite, severity, subject, attribute, message, value)


def _with_paths(message, about):
    """A message about the flat copy with the paths of the product."""
    return _WORD.sub(lambda word: about.paths.get(word[0], word[0]), message)


def find_subject(message, names):
    """Return the variable that a message is about: the first variable that it names."""
    if "global attribute" in message:
        return WHOLE
    if unknown := re.match(r"standard_name (\S+) is not defined", message):
        using = [name for name, standard in names.items() if standard.split()[:1] == [unknown[1]]]
        return using[0] if using else WHOLE
    mentions = []
    for name in names:
        if mention := re.search(rf"(?<![\w./]){re.escape(name)}(?![\w./])", message):
            mentions.append((mention.start(), -len(name), name))
    return min(mentions)[2] if mentions else WHOLE


def find_attribute(section, message):
    """Return the attribute to set or the column to change; "" if the message leaves that open."""
    if "Naming" in section:
        return "name" if message.startswith("variable ") else ""
    if _SINCE_CF_1_9.search(message):
        return "Conventions"
    if "identified as true latitude/longitude" in message:
        return "coordinates"
    if _UNSURE.search(message):
        return ""
    matches = (re.search(pattern, message) for pattern in _NAMED)
    return next((match[1] for match in matches if match), "")
