"""What the check of a product finds, and what it could not do."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["WHOLE", "Checked", "Finding"]

WHOLE = "(whole product)"


@dataclass(frozen=True)
class Finding:
    """A requirement of a convention that a product does not meet.

    Attributes
    ----------
    severity : str
        "error" and "warning" count, "advice" does not.
    subject : str
        Name of the variable, or `WHOLE`.
    attribute : str
        The attribute to set, or the column of the table; "" if the message names none.
    message : str
    """

    suite: str
    severity: str
    subject: str
    attribute: str
    message: str


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
