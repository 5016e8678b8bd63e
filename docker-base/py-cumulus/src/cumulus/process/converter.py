"""The converter beside process.py: one process that converts granule after granule."""

import errno
import json
import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from .. import CumulusError
from .programs import QUOTED_LINES, Announcer, end_group, how_it_ended, start, took_too_long

__all__ = ["Converter"]

_ANSWER_LIMIT = 64 * 2**20  # bytes of an answer; of a granule with 100,000 datasets it is 20 MB
_KEPT = 4000  # bytes of what the converter says on standard error
_WRITE_FAILED = 5  # exit status of the converter
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
_TICK = 0.5  # seconds: a fork of a dead converter may hold its pipes open


class Converter:
    """A converter process, started when it is needed and again when it was lost.

    It speaks the protocol of ``_convert --batch``: names end with a null byte, input then output,
    and each pair is answered with one line of JSON.

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
        self._said = b""

    @property
    def pid(self):
        """Process id of the running converter, or None."""
        return self._child.pid if self._child else None

    def convert(self, source, product):
        """Convert a file.

        Returns
        -------
        dict
            The converter's answer; ``left_out`` names what the product lacks, and why.

        Raises
        ------
        CumulusError
            The converter says that it failed, takes too long, dies or says something else.
        """
        self._make_ready()
        self._said = b""
        try:
            answer = self._ask(os.fspath(source), os.fspath(product))
        except BaseException:
            self.end()
            raise
        if answer["status"] != 0:
            words = str(answer.get("message") or "it does not say why")
            raise CumulusError(
                f"{self._program.name} failed (exit status {answer['status']}): "
                f"{words}{self._limit_behind(answer['status'], words)}"
            )
        return answer

    def end(self):
        """Kill the converter and what it started."""
        if self._child:
            child, self._child = self._child, None
            with suppress(OSError):
                child.stdin.close()
            end_group(child)
            child.stdout.close()
            child.stderr.close()
            self._announcer.send(None)

    def _make_ready(self):
        """Have a converter that waits for names and has said nothing unasked."""
        if self._child and (self._child.poll() is not None or self._readable(self._child.stdout)):
            self.end()
        if self._child:
            return
        if not self._program.is_file():
            raise CumulusError(
                f"there is no converter {str(self._program)!r}: run make -C convert"
            )
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        # Granules are converted beside each other; threads would only get in each other's way.
        argv = [self._program, "--threads", "1", "--batch"]
        self._child = start(argv, self._limits, self._announcer, bufsize=0, **pipes)

    @staticmethod
    def _readable(pipe):
        return bool(select.select([pipe], [], [], 0)[0])

    def _ask(self, source, product):
        with suppress(BrokenPipeError):  # then it has no answer either
            # Two names fit into the pipe's buffer: this never blocks.
            self._child.stdin.write(os.fsencode(source) + b"\0" + os.fsencode(product) + b"\0")
        line = self._answer(time.monotonic() + self._limits.seconds)
        try:
            answer = json.loads(line)
            status, output = answer["status"], answer.get("output")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            status = output = None
        if type(status) is not int or output not in (None, product) or b"\n" in line[:-1]:
            raise CumulusError(
                f"{self._program.name} answered with something else than its report: {line[:80]!r}"
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
                    self._said = (self._said + piece)[-_KEPT:]
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
        """The failure of a converter that ends instead of answering."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=2)
        while self._readable(self._child.stderr):
            if not (piece := os.read(self._child.stderr.fileno(), 65536)):
                break
            self._said = (self._said + piece)[-_KEPT:]
        status = self._child.returncode
        how = "closed its output" if status is None else how_it_ended(status, self._limits)
        lines = [one.strip() for one in self._said.decode(errors="backslashreplace").splitlines()]
        words = "; ".join([one for one in lines if one][-QUOTED_LINES:])
        return CumulusError(f"{self._program.name} failed ({how}){': ' if words else ''}{words}")

    def _limit_behind(self, status, words):
        """Name the limit that an error of the C library comes from, as far as its words tell."""
        if os.strerror(errno.EFBIG) in words:
            return f" ([limits].output_mb in collection.toml is {self._limits.output_mb:g})"
        if os.strerror(errno.ENOMEM) in words or "out of memory" in words.lower():
            return f" ([limits].memory_mb in collection.toml is {self._limits.memory_mb:g})"
        if status == _WRITE_FAILED and not any(os.strerror(one) in words for one in _DISK_ERRORS):
            limit = f"[limits].output_mb in collection.toml is {self._limits.output_mb:g}"
            return f" (is there enough space? {limit})"
        return ""
