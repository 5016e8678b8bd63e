"""What the check of a product finds, and what it could not do."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["WHOLE", "Checked", "Finding", "display_name"]

WHOLE = "(whole product)"


@dataclass(frozen=True)
class Finding:
    """A requirement of a convention that a product does not meet.

    Attributes
    ----------
    severity : str
        "error" and "warning" count, "advice" does not.
    subject : str
        Name of a variable, path of a variable or group below the root group, or `WHOLE`.
    attribute : str
        The attribute to set, or the column of the table; "" if the message names none.
    message : str
    value : str
        The value to write, "" if it is up to the author.
    """

    suite: str
    severity: str
    subject: str
    attribute: str
    message: str
    value: str = ""


@dataclass(frozen=True)
class Checked:
    """The findings of one product.

    Attributes
    ----------
    product : pathlib.Path
    suite : str
        "CF-1.8" or another version.
    claims_acdd : bool
        The product's Conventions name ACDD, so that its requirements count.
    findings : tuple of Finding
    not_checked : tuple of str
        What could not be checked, each with its reason. Such a product does not pass.
    """

    product: Path
    suite: str
    claims_acdd: bool
    findings: tuple[Finding, ...] = field(default=())
    not_checked: tuple[str, ...] = field(default=())

    @property
    def counting(self):
        """Findings that make the product fail."""
        return [finding for finding in self.findings if finding.severity != "advice"]


def display_name(path):
    """How a variable is named to people: by its name, or by its path if it is in a group."""
    return path.lstrip("/") if path.count("/") == 1 else path
