"""The property on real files of many kinds: each dataset is present and equal, or listed as left out with a reason."""

import h5py
import pytest
from converter.tests.oracle import judge, read_report
from support import DATA

FOLDER = DATA / "data" / "hdf5"
NAMES = sorted(path.name for path in FOLDER.glob("*")) or ["absent"]
# Files that HDF5 1.10 and 1.14 refuse: parts of families, files left open for writing, damage.
pytestmark = pytest.mark.slow
UNREADABLE = ("family_file", "tfamily", "tmulti-", "tsplit_file-r", "h5clear_log_v3", "h5stat_err_old_layout",
              "tCVE_2018_11206_fill_new")
# Nothing but virtual datasets, data in other files, wide numbers, or filters without a plug-in.
WITHOUT_VARIABLES = ("1_vds", "int32le_3d_ex", "tldouble", "tudfilter", "vds-percival-unlim-maxmin", "Tables_lzo")
CLASSIC = b"CDF"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_dropped_in_silence(plain, shared, tmp_path, name):
    """With equal values, types, fill values and attributes, judged with h5py; and never a crash."""
    path, product = shared / "hdf5" / name, tmp_path / "x.nc"
    done = plain("--report", tmp_path / "report", path, product, timeout=300)
    report = read_report(tmp_path / "report")
    if any(part in name for part in UNREADABLE):
        assert (done.returncode, report["status"]) == (3, 3)
        assert "cannot read" in done.stderr and not product.exists()
        return
    if any(part in name for part in WITHOUT_VARIABLES) or ("blosc_big" in name and done.returncode == 4):
        assert (done.returncode, report["status"]) == (4, 4) and not product.exists()
        assert "no variable is left of its data" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    if path.read_bytes()[:3] == CLASSIC:  # compared in test_granules.py
        assert product.exists()
        return
    assert judge(path, product, report).wrong == []
    if not report["left_out"]:
        return
    product.unlink()
    assert plain("--strict", path, product, timeout=300).returncode == 4
    assert not product.exists()


def test_the_corpus_holds_what_it_is_meant_to(plain, shared, tmp_path):
    """Counted over all files, so that the property does not hold of nothing."""
    counts = dict.fromkeys(("files", "datasets", "values", "attributes", "dimensions", "listed",
                             "fields"), 0)
    for path in sorted((shared / "hdf5").glob("*")):
        if not h5py.is_hdf5(path) or "tbigdims" in path.name or "tiny_huge" in path.name:
            continue
        done = plain("--report", tmp_path / "report", path, tmp_path / "x.nc", timeout=300)
        if done.returncode == 0:
            verdict = judge(path, tmp_path / "x.nc", read_report(tmp_path / "report"))
            for key, count in (("files", 1), ("datasets", verdict.equal), ("values", verdict.values),
                               ("attributes", verdict.attributes), ("dimensions", verdict.dimensions),
                               ("listed", verdict.listed), ("fields", verdict.fields)):
                counts[key] += count
    print(counts)
    assert counts["files"] >= 140 and counts["datasets"] >= 800 and counts["fields"] >= 230
    assert counts["attributes"] >= 1200
