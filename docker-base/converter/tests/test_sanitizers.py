"""No sanitizer finds fault with the engine, over the corpus and over damage; and clang builds it without a warning."""

import json
import os
import random
import re
import subprocess

import h5py
import numpy as np
import pytest
from converter.tests.fuzz import KINDS, chunk_ranges, damage, make_granule
from converter.tests.library import EMPTY_TABLE, LIBRARY, build_converter
from converter.tests.products import differences
from converter.tests.test_features import table
from converter.tests.test_sample import convert_sample
from programs import need

SANITIZERS = "CFLAGS=-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
# Segmentation faults inside libhdf5 are its own, so the program's handlers keep them: they remove what was begun.
OPTIONS = {"ASAN_OPTIONS": "detect_leaks=1:handle_segv=0:handle_sigbus=0:handle_abort=0:allocator_may_return_null=1",
           "UBSAN_OPTIONS": "print_stacktrace=1"}
REPORT = re.compile(r"^.*(?:ERROR: \w+Sanitizer|runtime error).*$", re.MULTILINE)
# In a damaged file, HDF5 1.10 copies memory onto itself: the innermost frame, behind the sanitizer's own, is its.
INSIDE_HDF5 = re.compile(r"ERROR: AddressSanitizer.*\n\s+#0 .* in __interceptor_\w+ .*\n\s+#1 [^/]*\(?/\S*libhdf5\S*\)")


LEAK = """#include <stdlib.h>
int main(void) { void *volatile lost = malloc(100); lost = NULL; return lost != NULL; }
"""


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """With the shared HDF5, so that the sanitizer sees each allocation of it, too; and it does see a leak."""
    probe = tmp_path_factory.mktemp("probe")
    (probe / "probe.c").write_text(LEAK)
    if subprocess.run([need("gcc"), *SANITIZERS.split()[2:], "probe.c"], cwd=probe, capture_output=True,
                      check=False).returncode:
        pytest.skip("gcc has no sanitizers here (libasan, libubsan)")
    converter = build_converter(tmp_path_factory.mktemp("sanitized"), EMPTY_TABLE, SANITIZERS, "STATIC_HDF5=")
    told = subprocess.run([probe / "a.out"], capture_output=True, text=True, check=False, env={**os.environ, **OPTIONS})
    assert "detected memory leaks" in told.stderr
    return converter


def run(converter, *arguments, timeout=300, **options):
    done = converter(*arguments, timeout=timeout, env={**os.environ, **OPTIONS}, **options)
    assert REPORT.search(done.stderr) is None, done.stderr[-4000:]
    return done


def files(shared):
    return [path for kind in ("hdf5", "granules") for path in sorted((shared / kind).iterdir())]


@pytest.mark.parametrize("options", [["--strict"], ["--no-verify", "--threads", "3"]], ids=" ".join)
def test_nothing_is_found_over_the_corpus(sanitized, shared, tmp_path, options):
    """In one process, so that what it keeps from one file to the next is seen as a leak at the end."""
    paths = files(shared)
    done = run(sanitized, "--batch", "--report", tmp_path / "report", *options,
               input="".join(f"{path}\0{tmp_path / 'x.nc'}\0" for path in paths))
    statuses = [json.loads(line)["status"] for line in done.stdout.splitlines()]
    assert len(statuses) == len(paths) and set(statuses) <= {0, 3, 4} and done.returncode == 0


def test_nothing_is_found_by_list(sanitized, shared):
    paths = files(shared)
    done = run(sanitized, "--list", *paths)
    assert done.returncode in (3, 4) and len(done.stdout.splitlines()) > len(paths)


def test_nothing_is_found_by_table(sanitized, shared):
    """Whatever the names are."""
    assert {run(sanitized, "--table", path).returncode for path in files(shared)} == {0, 3, 4}


def test_nothing_is_found_in_the_starter_sample(tmp_path, starter_table, sample):
    """With its table, in all ways to call it."""
    converter = build_converter(tmp_path, starter_table, SANITIZERS, "STATIC_HDF5=")
    for granule, expected in sample:
        for options in ([], ["--strict"], ["--no-verify"], ["--threads", "2"]):
            assert run(converter, *options, granule, tmp_path / "x.nc").returncode == 0
            assert differences(expected, tmp_path / "x.nc") == []
        assert run(converter, "--list", granule).returncode == 0
    assert run(converter).returncode == 2


REFERENCES = table('{"/x", "renamed_{value}", "", "", "", "{value} of {{x}}"}, {"/dropped", DROP}, '
                   '{"/g/moved", "/top"}', '{"/g/y", "coordinates", "x dropped: (a"}')
PIECES = ["x", "/x", "../x", "dropped", "moved", "g/moved", "/g/../x", "..", "/", "time:", "x:", ":", "(", ")",
          "where", "over", "area:", "dropped:", "n", "n:", " ", "\t\n", "\u00fc", "{value}", "." * 300, "//", "x/y",
          "other/x"]


def test_nothing_is_found_in_hostile_names_of_variables_and_dimensions(tmp_path):
    """Random texts in attributes that name variables, and in labels; the table renames, drops and moves."""
    converter, rng = build_converter(tmp_path, REFERENCES, SANITIZERS, "STATIC_HDF5="), random.Random(7)
    names = ["coordinates", "bounds", "cell_methods", "grid_mapping", "cell_measures", "formula_terms",
             "DimensionNames"]
    fields = []
    for number in range(60):
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            for path in ("x", "dropped", "g/moved", "g/y", "g/h/z"):
                file[path] = np.zeros((2, 2))
                for name in names:
                    file[path].attrs[name] = rng.choice([" ", ""]).join(rng.choices(PIECES, k=rng.randrange(9)))
                for axis in range(2):
                    file[path].dims[axis].label = rng.choice(PIECES)
            file["other"] = h5py.ExternalLink(f"{number}.h5", "/")
        values = [[], ["", "value=7", "x=\u00fc", ""], ["", "value=", ""]][number % 3]
        fields += [*values, tmp_path / f"{number}.h5", tmp_path / "x.nc"]
    done = run(converter, "--batch", "--set", "value=1", input="".join(f"{field}\0" for field in fields))
    statuses = [json.loads(line)["status"] for line in done.stdout.splitlines()]
    assert statuses == [0, 0, 2] * 20


def convert_damaged(converter, source, product):
    """The exit status; None for a hang inside a library, or an error that is its own.

    HDF5 loses memory when it gives up on a damaged file; whether the engine does is seen over the corpus.
    """
    lost = source.with_name("suppressions")
    lost.write_text("leak:libhdf5\n")
    options = {**OPTIONS, "LSAN_OPTIONS": f"suppressions={lost}:print_suppressions=0"}
    try:
        done = converter(source, product, timeout=10, env={**os.environ, **options})
    except subprocess.TimeoutExpired:
        return None
    if INSIDE_HDF5.search(done.stderr):
        return None
    assert REPORT.search(done.stderr) is None, done.stderr[-4000:]
    return done.returncode


def test_nothing_is_found_in_damaged_granules(sanitized, tmp_path):
    """Truncated, flipped, zeroed; where libhdf5 crashes, the process ends by that signal, without a report."""
    rng, outcomes = random.Random(5), []
    make_granule(tmp_path / "granule.h5")
    data, ranges = (tmp_path / "granule.h5").read_bytes(), chunk_ranges(tmp_path / "granule.h5")
    for number in range(120):
        (tmp_path / "damaged.h5").write_bytes(damage(data, KINDS[number % len(KINDS)], ranges, rng))
        outcomes.append(convert_damaged(sanitized, tmp_path / "damaged.h5", tmp_path / "x.nc"))
    assert {0, 3} <= set(outcomes) <= {0, 3, -6, -7, -8, -11, None}
    assert outcomes.count(0) + outcomes.count(3) > 110


def test_nothing_is_found_in_damaged_classic_files(sanitized, shared, tmp_path):
    """Cut off, and with numbers of the header changed."""
    rng, outcomes = random.Random(6), []
    data = (shared / "granules" / "IMPACTS_AVAPS_PQC_20220208_142943.nc").read_bytes()
    for number in range(30):
        damaged = bytearray(data[:rng.randrange(len(data))] if number % 3 == 0 else data)
        for _ in range(3 if number % 3 else 0):
            damaged[rng.randrange(4, 6000)] ^= 1 << rng.randrange(8)
        (tmp_path / "damaged.nc").write_bytes(damaged)
        outcomes.append(convert_damaged(sanitized, tmp_path / "damaged.nc", tmp_path / "x.nc"))
    assert {0, 3} <= set(outcomes) <= {0, 3, None}
    assert outcomes.count(None) < 3


def test_threads_do_not_race(tmp_path):
    """Under ThreadSanitizer, with chunks that the threads read from the file, and through HDF5."""
    flags = "CFLAGS=-O1 -g -fsanitize=thread"
    converter = build_converter(tmp_path, EMPTY_TABLE, flags)
    values = np.random.default_rng(1).random(4_500_000)
    for chunk in (20_000, 1_000):
        with h5py.File(tmp_path / "in.h5", "w") as file:
            file.create_dataset("x", data=values, chunks=(chunk,), compression="gzip", compression_opts=1)
        for options in (["--threads", "3"], ["--threads", "3", "--no-verify"]):
            done = converter(*options, tmp_path / "in.h5", tmp_path / "x.nc", timeout=300)
            assert (done.returncode, done.stderr) == (0, "")


# ---- Other ways to build it ----

def test_clang_builds_it_without_a_warning(tmp_path, starter_table, sample):
    """With the same flags as gcc, and the products are the same."""
    need("clang")
    converter = build_converter(tmp_path, starter_table, "CC=clang")
    for expected, product, done in convert_sample(converter, sample, tmp_path):
        assert differences(expected, product) == [] and done.stderr == ""


def test_shared_hdf5_gives_the_same_products(tmp_path, starter_table, sample):
    """STATIC_HDF5= is for machines whose static library does not suit."""
    converter = build_converter(tmp_path, starter_table, "CFLAGS=-O0", "STATIC_HDF5=")
    linked = subprocess.run(["ldd", converter.program], capture_output=True, text=True, check=True).stdout
    assert "libhdf5" in linked
    for expected, product, done in convert_sample(converter, sample, tmp_path):
        assert differences(expected, product) == [] and done.stderr == ""


def test_functions_are_small_and_lines_short():
    """At most 40 lines a function, 120 characters a line."""
    for path in sorted(LIBRARY.glob("*/*.[ch]")):
        name, lines = path.name, path.read_text().splitlines()
        assert max(map(len, lines)) <= 120, name
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start and name.endswith(".c"):
                assert number - start - 1 <= 40, f"{name}:{start}"
                start = None
