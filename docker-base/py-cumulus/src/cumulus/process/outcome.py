"""How a granule ends, failures included, whatever process_granule raises."""

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
    """How one granule ended.

    Attributes
    ----------
    status : str
        PROCESSED, SKIPPED (its products are up to date), FAILED or INTERRUPTED.
    error : str or None
        Why it failed.
    inputs, products : dict of str to cumulus.files.FileFacts
    seconds : float
    peak_memory_mb : float or None
        Of the largest process that worked on it.
    warnings : list of str
    traceback : str or None
        Of an unforeseen failure.
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
            "warnings": [redact(warning) for warning in self.warnings],
        }


def _files(facts, kind):
    return [
        {kind: key, "name": file.name, "size": file.size, "sha256": file.sha256}
        for key, file in facts.items()
    ]


def failure(error, job, inputs):
    """Return the Outcome of a failed granule: one sentence, and a traceback if it is unforeseen.

    Parameters
    ----------
    error : BaseException
        The exception that is being handled.
    job : cumulus.process.job.Job
    inputs : dict of str to cumulus.files.FileFacts
    """
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, CumulusError):
        message = _message(error)
    elif number in (errno.ENOSPC, errno.EDQUOT):
        message = f"no space left for the products in {str(job.outdir)!r}: {error.strerror}"
    else:
        message = f"{type(error).__name__}: {_message(error)}"
    if number == errno.EFBIG:
        limit = job.collection.limits.output_mb
        message += f" ([limits].output_mb in collection.toml is {limit:g})"
    foreseen = isinstance(error, CumulusError | OSError | SystemExit)
    details = None if foreseen else _shortened(traceback.format_exc(), 5 * LONGEST)
    return Outcome(FAILED, _shortened(message), inputs, traceback=details)


def _message(error):
    try:
        return str(error)
    except Exception as another:
        return f"its message cannot be read ({type(another).__name__})"


def _shortened(text, length=LONGEST):
    """Shorten a text for a line of the log, without cutting a secret, which would hide it."""
    if len(text) <= length:
        return text
    return f"{redact(text[: 2 * length])[:length]}... ({len(text)} characters)"
