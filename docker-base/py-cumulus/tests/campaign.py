#!/usr/bin/env python3
"""kill -9 of a handler or of what it started, at random moments: nothing may be torn or lost.

The tests run this for a minute with a fixed seed; for longer:  campaign.py --moments 5000 --seed 7
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from samples import Repository, alive, wait_for

HANDLER = '''
import sys
from pathlib import Path

from cumulus.process import main, process_granules


def process_granule(granule):
    granule.convert()
    granule.check()
    for key in ("metadata", "cmr"):  # quick to write, and the same each time
        granule.products[key].write_text(f"{key} of {granule.id}\\n" * 2000)


def process(indir, outdir):
    return process_granules(process_granule, indir, outdir, home=Path(__file__).parent)


if __name__ == "__main__":
    sys.exit(main(process))
'''
GRANULES = 16


class Campaign:
    """A repository whose handler is killed again and again; the moments come from the seed."""

    def __init__(self, folder, seed):
        self.repository = Repository(folder)
        self.repository.write("process.py", HANDLER, executable=True)
        self.random = random.Random(seed)
        self.kills = {"handler": 0, "worker": 0, "converter": 0}
        for number in range(GRANULES):
            text = f"content {number} " * self.random.randrange(1, 20_000)
            self.repository.granule(f"CPL_{number:02d}", text)
        started = time.monotonic()
        self._run_to_the_end()
        self.seconds = time.monotonic() - started  # of an undisturbed run
        self.expected = self._products()
        assert len(self.expected) == 3 * GRANULES

    def kill_handler(self):
        """Kill a run that makes everything anew, at any moment; what stands then must be whole."""
        handler = self._start("--force")
        with contextlib.suppress(Exception):
            handler.wait(timeout=self.random.uniform(0, self.seconds))
        below = descendants(handler.pid)
        handler.kill()
        handler.communicate(timeout=60)
        for pid in below:
            wait_for(lambda pid=pid: not alive(pid))
        self.kills["handler"] += 1
        self.check_nothing_is_torn()

    def kill_children(self, count):
        """Kill so many workers and converters of one run, which goes on; returns how many."""
        handler, done = self._start("--force"), 0
        while done < count and handler.poll() is None:
            time.sleep(self.random.uniform(0, self.seconds / count))
            below = descendants(handler.pid)
            if below and handler.poll() is None:
                pid = self.random.choice(sorted(below))
                self.kills[below[pid]] += 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                done += 1
        handler.communicate(timeout=60)
        assert handler.returncode in (0, 2, 3), handler.returncode
        self.check_nothing_is_torn()
        return done

    def check_nothing_is_torn(self):
        """Every name holds its whole content, and no primary product stands without the others."""
        products = self._products()
        for name, content in products.items():
            assert content == self.expected[name], f"{name} is not complete"
        for name in products:
            if name.endswith(".nc"):
                others = {name + ".meta.xml", name[: -len(".nc")] + ".cmr.json"}
                assert others <= products.keys(), f"{name} stands alone"

    def check_rerun_completes(self):
        """After an undisturbed rerun everything is as if nothing had happened."""
        self._run_to_the_end()
        assert self._products() == self.expected
        assert self.repository.scratch() == []

    def _start(self, *options):
        return self.repository.start(*options, self.repository.input, self.repository.output)

    def _run_to_the_end(self):
        handler = self._start()
        out, err = handler.communicate(timeout=120)
        assert handler.returncode == 0, out + err

    def _products(self):
        folder = self.repository.output
        return {name: (folder / name).read_bytes() for name in self.repository.products()}


def descendants(pid):
    """What a process started: process ids, and whether each is a worker or a converter."""
    found = {}
    for worker in _children(pid):
        found[worker] = "worker"
        found |= dict.fromkeys(_children(worker), "converter")
    return found


def _children(pid):
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def run(folder, moments, seed, show=lambda text: None):
    """Kill at so many moments, two thirds of them the handler; returns what was killed."""
    campaign = Campaign(folder, seed)
    done = 0
    while done < moments:
        for _ in range(min(8, moments - done)):
            campaign.kill_handler()
            done += 1
        if done < moments:
            done += campaign.kill_children(min(4, moments - done))
        campaign.check_rerun_completes()
        show(f"{done} of {moments} moments: {campaign.kills}")
    return campaign.kills


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    run(folder, arguments.moments, arguments.seed, lambda text: print(text, flush=True))
    shutil.rmtree(folder)  # kept where a check has failed


if __name__ == "__main__":
    sys.exit(main())
