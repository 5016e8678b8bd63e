"""Nothing that the converter does grows faster than its input."""

import gzip
import json
import subprocess

import h5py
import numpy as np
import pytest
from converter.tests.library import EMPTY_TABLE, LIBRARY, build_converter
from converter.tests.shapes import attributes, datasets, groups, scales
from programs import need


def test_search_takes_few_steps_however_many_keys(tmp_path):
    """The hash table looks at fewer than two slots a search on average, keeps a key's entries in order."""
    program = tmp_path / "steps"
    source = LIBRARY / "tests" / "lookup_steps.c"
    subprocess.run([need("gcc"), "-O1", "-o", program, source], check=True, timeout=60)
    for count in (100, 10_000, 200_000):
        done = subprocess.run([program, str(count)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert 1 <= float(done.stdout) < 2


def lengths(file, count):
    """Each dataset has a dimension of its own."""
    for number in range(count):
        file.create_dataset(f"dataset_{number}", (number + 1,), "i1")


def compounds(file, count):
    for number in range(count // 10):
        file[f"table_{number}"] = np.zeros(2, [(f"field_{field}", "f4") for field in range(10)])


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A converter of which gcov counts how often each line runs."""
    need("gcov")
    folder = tmp_path_factory.mktemp("counted")
    return folder, build_converter(folder, EMPTY_TABLE, "CFLAGS=-O0 -g --coverage")


def lines_run(counted, granule, folder, *options):
    """How many lines of the converter run for a granule, each as often as it runs."""
    build, converter = counted
    for data in build.rglob("*.gcda"):
        data.unlink()
    done = converter(*options, granule, folder / "product.nc")
    assert done.returncode == 0, done.stderr
    data = list(build.rglob("*.gcda"))
    assert len(data) > 20
    subprocess.run(["gcov", "--json-format", *data], cwd=folder, capture_output=True, check=True, timeout=120)
    reports = [json.loads(gzip.decompress(path.read_bytes())) for path in folder.glob("*.gcov.json.gz")]
    return sum(line["count"] for report in reports for file in report["files"] for line in file["lines"])


@pytest.mark.parametrize("shape", [datasets, groups, scales, attributes, lengths, compounds])
def test_twice_the_parts_run_at_most_2_2_times_the_lines(counted, tmp_path, shape):
    """A count, not a time: a loop over all parts for each part would run four times as many."""
    counts = []
    for count in (1_000, 2_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        with h5py.File(folder / "granule.h5", "w") as file:
            shape(file, count)
        counts.append(lines_run(counted, folder / "granule.h5", folder))
    assert counts[0] > 10_000
    assert counts[1] / counts[0] <= 2.2


def test_small_chunks_take_the_same_steps_on_more_threads(counted, tmp_path):
    """A thread that waits for the others at each chunk of 64 bytes would cost more than the chunk: one moves them."""
    with h5py.File(tmp_path / "granule.h5", "w") as file:
        file.create_dataset("data", data=np.arange(160_000.0), chunks=(8,))
    counts = []
    for threads in ("1", "8"):
        folder = tmp_path / threads
        folder.mkdir()
        counts.append(lines_run(counted, tmp_path / "granule.h5", folder, "--threads", threads))
    assert counts[0] > 20_000
    assert abs(counts[1] - counts[0]) < 100
