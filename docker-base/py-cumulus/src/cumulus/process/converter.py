"""The converter beside process.py: a process that converts granule after granule."""

import errno
import json
import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from .. import CumulusError
from .programs import Announcer, end_group, failure_message, how_it_ended, start, took_too_long

__all__ = ["Converter"]

_ANSWER_LIMIT = 64 * 2**20  # bytes of an answer; of a granule with 100,000 datasets it is 20 MB
_KEPT = 4000  # bytes of the end of standard error
_WRITE_FAILED = 5  # exit status of the converter
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
_VALUES_LIMIT = 48 * 2**10  # bytes of a granule's values: a pipe's buffer holds 64 KB
_TICK = 0.5  # seconds between looks whether it lives: a child of it may hold its pipes open


class Converter:
    """A converter process, started at the first conversion and again after it was lost.

    Its protocol is that of ``_convert --batch``: input and output name, each with a null byte at
    its end, are answered with one line of JSON. Values (``NAME=VALUE``) come before the names,
    between two empty names. Only a converter that has asked for values (``unfilled`` in its
    answer) gets any: a converter that does not know them would take them for names.

    Parameters
    ----------
    program : path-like
    limits : cumulus.collection.Limits
        Of one conversion.
    announcer : cumulus.process.programs.Announcer, optional
        Tells of each process that is started.
    """

    def __init__(self, program, limits, announcer=None):
        self._program, self._limits = Path(program), limits
        self._announcer = announcer or Announcer()
        self._child = None
        self._errors = b""
        self._takes_values = False

    @property
    def pid(self):
        """Process id of the running converter, or None."""
        return self._child.pid if self._child else None

    def convert(self, source, product, values=None):
        """Convert a file.

        Parameters
        ----------
        source, product : path-like
        values : mapping of str to str, optional
            What the names in the converter's tables stand for; an empty value fills none.

        Returns
        -------
        dict
            The converter's answer; ``left_out`` names what the product lacks, and why.

        Raises
        ------
        CumulusError
            The converter fails, takes too long, dies, or gives no proper answer; a value cannot
            be sent.
        """
        fields = _encode(values or {})
        self._make_ready()
        self._errors = b""
        paths = os.fspath(source), os.fspath(product)
        try:
            answer = self._ask(*paths, fields if self._takes_values else b"")
            if answer.get("unfilled") and fields and not self._takes_values:
                self._takes_values = True
                answer = self._ask(*paths, fields)
        except BaseException:
            self.end()
            raise
        if answer["status"] != 0:
            message = str(answer.get("message") or "it gives no reason")
            raise CumulusError(
                f"{self._program.name} failed (exit status {answer['status']}): "
                f"{message}{self._limit_behind(answer['status'], message)}"
            )
        return answer

    def end(self):
        """Kill the converter and its children."""
        if self._child:
            child, self._child = self._child, None
            with suppress(OSError):
                child.stdin.close()
            end_group(child)
            child.stdout.close()
            child.stderr.close()
            self._announcer.send(None)

    def _make_ready(self):
        """Have a converter that waits for names; one that has written unasked is replaced."""
        if self._child and (self._child.poll() is not None or self._readable(self._child.stdout)):
            self.end()
        if self._child:
            return
        if not self._program.is_file():
            raise CumulusError(f"there is no converter {str(self._program)!r}: run make -C convert")
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        # Workers share the cores; threads of the converter would only slow each other down.
        argv = [self._program, "--threads", "1", "--batch"]
        self._child = start(argv, self._limits, self._announcer, bufsize=0, **pipes)

    @staticmethod
    def _readable(pipe):
        return bool(select.select([pipe], [], [], 0)[0])

    def _ask(self, source, product, fields):
        names = os.fsencode(source) + b"\0" + os.fsencode(product) + b"\0"
        with suppress(BrokenPipeError):  # then it has no answer either
            # Two names and the values fit into the pipe's buffer: this never blocks.
            self._child.stdin.write(fields + names)
        line = self._answer(time.monotonic() + self._limits.seconds)
        try:
            answer = json.loads(line)
            status, output = answer["status"], answer.get("output")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            status = output = None
        if type(status) is not int or output not in (None, product) or b"\n" in line[:-1]:
            raise CumulusError(
                f"{self._program.name} gave an answer that is no report: {line[:80]!r}"
            )
        return answer

    def _answer(self, deadline):
        """Return the next line of standard output, keeping the end of standard error."""
        pipes, parts, length = [self._child.stdout, self._child.stderr], [], 0
        while True:
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise CumulusError(took_too_long(self._program.name, self._limits))
            ready, _, _ = select.select(pipes, [], [], min(rest, _TICK))
            for pipe in ready:
                piece = os.read(pipe.fileno(), 65536)
                if pipe is self._child.stderr:
                    self._errors = (self._errors + piece)[-_KEPT:]
                    if not piece:
                        pipes.remove(pipe)
                elif not piece:
                    raise self._lost()
                else:
                    parts.append(piece)
                    length += len(piece)
                    if b"\n" in piece or length > _ANSWER_LIMIT:
                        return b"".join(parts)
            if not ready and self._child.poll() is not None:
                raise self._lost()

    def _lost(self):
        """Return the failure of a converter that ends instead of answering."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=2)
        while self._readable(self._child.stderr):
            if not (piece := os.read(self._child.stderr.fileno(), 65536)):
                break
            self._errors = (self._errors + piece)[-_KEPT:]
        status = self._child.returncode
        how = "closed its output" if status is None else how_it_ended(status, self._limits)
        lines = map(str.strip, self._errors.decode(errors="backslashreplace").splitlines())
        return CumulusError(failure_message(self._program.name, how, list(filter(None, lines))))

    def _limit_behind(self, status, message):
        """Name the limit that an error of the C library comes from, as far as the message tells."""
        if os.strerror(errno.EFBIG) in message:
            return f" ([limits].output_mb in collection.toml is {self._limits.output_mb:g})"
        if os.strerror(errno.ENOMEM) in message or "out of memory" in message.lower():
            return f" ([limits].memory_mb in collection.toml is {self._limits.memory_mb:g})"
        names_cause = any(os.strerror(code) in message for code in _DISK_ERRORS)
        if status == _WRITE_FAILED and not names_cause:
            limit = f"[limits].output_mb in collection.toml is {self._limits.output_mb:g}"
            return f" (is there enough space? {limit})"
        return ""


def _encode(values):
    """The values as fields of the protocol, with an empty one before and behind them."""
    filled = {name: str(value) for name, value in values.items() if value not in (None, "")}
    if bad := [name for name, value in filled.items() if "\0" in value]:
        raise CumulusError(f"the value of {bad[0]!r} for the converter's table holds a null byte")
    fields = b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in filled.items())
    if len(fields) > _VALUES_LIMIT:
        raise CumulusError(
            f"the values for the converter's table have {len(fields)} bytes, {_VALUES_LIMIT} are "
            f"allowed; the longest is that of {max(filled, key=lambda one: len(filled[one]))!r}"
        )
    return b"\0" + fields + b"\0" if fields else b""
