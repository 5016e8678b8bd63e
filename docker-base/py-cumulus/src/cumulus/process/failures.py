"""What is said of a granule that failed, whatever its handler raised."""

import errno
import traceback

from .. import CumulusError
from ..logutils.redaction import redact
from .report import FAILED, Outcome

__all__ = ["failure"]

LONGEST = 4000  # characters of a failure


def failure(error, job, inputs):
    """Return the Outcome of a granule: one sentence, and for what nobody foresaw where it happened.

    Parameters
    ----------
    error : BaseException
        That is handled now.
    job : cumulus.process.worker.Job
    inputs : dict of str to cumulus.process.completion.FileFacts
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
