"""What a worker keeps from one granule to the next."""

import contextlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from .converter import Converter
from .job import Job
from .programs import Announcer

__all__ = ["Scratch", "Tools"]


@dataclass(frozen=True)
class Tools:
    """What a worker uses for granule after granule.

    Attributes
    ----------
    job : cumulus.process.job.Job
    converter : cumulus.process.converter.Converter
    send : callable
        Called with the kind of a message to the handler and its content.
    announcer : cumulus.process.programs.Announcer
        For the programs that granules run.
    threads : concurrent.futures.Executor
    scratch : Scratch
    """

    job: Job
    converter: Converter
    send: Callable
    announcer: Announcer
    threads: Executor
    scratch: "Scratch"


class Scratch:
    """The scratch folders of a worker's granules.

    File systems are slow to make files where many were removed of late (ext4 looks at each of
    them first). With a folder for each of thousands of granules these are many, so that a folder
    that was left empty serves the next granule.
    """

    def __init__(self, job):
        self._job, self._spare = job, None

    def enter(self, number):
        """Make a granule's folder and return its path."""
        folder = self._job.scratch_folder(number)
        spare, self._spare = self._spare, None
        if spare:
            os.rename(spare, folder)
        else:
            folder.mkdir()
        return folder

    def leave(self, number):
        """Keep a granule's folder for the next granule if it is empty; else remove it."""
        folder = self._job.scratch_folder(number)
        with contextlib.suppress(OSError):
            if not os.listdir(folder):
                self._spare = folder
                return
        shutil.rmtree(folder, ignore_errors=True)
