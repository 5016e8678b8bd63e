"""What became of a granule, failures included, whatever its handler raised."""

import errno
import traceback
from dataclasses import dataclass, field

from .. import CumulusError
from ..logutils.redaction import redact

__all__ = ["FAILED", "INTERRUPTED", "PROCESSED", "SKIPPED", "Outcome", "failure"]

PROCESSED, SKIPPED, FAILED, INTERRUPTED = "processed", "skipped", "failed", "interrupted"
LONGEST = 4000  # characters of a failure


@dataclass
class Outcome:
    """What became of one granule.

    Attributes
    ----------
    status : str
        PROCESSED, SKIPPED (its completion record stands), FAILED or INTERRUPTED.
    error : str or None
        Why it failed.
    inputs, products : dict of str to cumulus.files.FileFacts
    seconds : float
    peak_memory_mb : float or None
        Of the largest process that worked on it.
    warnings : list of str
    traceback : str or None
        Of a failure that nobody foresaw.
    unused_rows : set of (str, str), or None
        Paths in the converter's table that match nothing in this granule, each with a note.
    """

    status: str
    error: str | None = None
    inputs: dict = field(default_factory=dict)
    products: dict = field(default_factory=dict)
    seconds: float = 0.0
    peak_memory_mb: float | None = None
    warnings: list = field(default_factory=list)
    traceback: str | None = None
    unused_rows: set | None = None

    def as_json(self, granule_id):
        """Return the outcome as the dictionary that the report holds."""
        return {
            "granule": granule_id,
            "status": self.status,
            "error": self.error and redact(self.error),
            "inputs": _files(self.inputs, "role"),
            "products": _files(self.products, "product"),
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": self.peak_memory_mb,
            "warnings": [redact(one) for one in self.warnings],
        }


def _files(facts, word):
    return [
        {word: key, "name": one.name, "size": one.size, "sha256": one.sha256}
        for key, one in facts.items()
    ]


def failure(error, job, inputs):
    """Return the Outcome of a granule: one sentence, and for what nobody foresaw where it happened.

    Parameters
    ----------
    error : BaseException
        That is handled now.
    job : cumulus.process.job.Job
    inputs : dict of str to cumulus.files.FileFacts
    """
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, CumulusError):
        words = _message(error)
    elif number in (errno.ENOSPC, errno.EDQUOT):
        words = f"no space left for the products in {str(job.outdir)!r}: {error.strerror}"
    else:
        words = f"{type(error).__name__}: {_message(error)}"
    if number == errno.EFBIG:
        limit = job.collection.limits.output_mb
        words += f" ([limits].output_mb in collection.toml is {limit:g})"
    foreseen = isinstance(error, CumulusError | OSError | SystemExit)
    where = None if foreseen else _shortened(traceback.format_exc(), 5 * LONGEST)
    return Outcome(FAILED, _shortened(words), inputs, traceback=where)


def _message(error):
    try:
        return str(error)
    except Exception as another:
        return f"its message cannot be had ({type(another).__name__})"


def _shortened(text, length=LONGEST):
    """A text that fits into a line of the log; a secret must not be cut, or it is not seen."""
    if len(text) <= length:
        return text
    return f"{redact(text[: 2 * length])[:length]}... ({len(text)} characters)"
