"""How data are stored: contiguous blocks that the kernel copies, sparse chunks, and inputs that change meanwhile."""

import itertools
import os
import resource
import signal
import subprocess
import time

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report

INPUT = 3
PASS_BYTES = 1 << 18  # from here on the kernel copies
OTHER_FILE_SYSTEM = "/dev/shm"


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("size", [PASS_BYTES - 1, PASS_BYTES, PASS_BYTES + 1, 4095 * 1021, (32 << 20) + 7])
def test_contiguous_bytes_of_any_size_are_copied(plain, tmp_path, size):
    """On both sides of the size from which the kernel copies, also of a file that is not read into memory at once."""
    data = np.random.default_rng(size).integers(0, 256, size, "u1")
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = data
        file["after"] = np.arange(5)
    assert plain(tmp_path / "in.h5", tmp_path / "x.nc").returncode == 0
    with h5py.File(tmp_path / "x.nc") as product:
        assert np.array_equal(product["x"][()], data)
        assert product["after"][()].tolist() == [0, 1, 2, 3, 4]


def test_contiguous_data_are_copied_to_another_file_system(plain, tmp_path):
    """Where the kernel has to read and write."""
    if not os.path.isdir(OTHER_FILE_SYSTEM) or os.stat(OTHER_FILE_SYSTEM).st_dev == tmp_path.stat().st_dev:
        pytest.skip(f"{OTHER_FILE_SYSTEM} is no other file system here")
    data = np.random.default_rng(2).random(1_000_003)
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = data
    product = f"{OTHER_FILE_SYSTEM}/converter-test-{os.getpid()}.nc"
    try:
        assert plain(tmp_path / "in.h5", product).returncode == 0
        with h5py.File(product) as file:
            assert np.array_equal(file["x"][()], data)
    finally:
        os.path.exists(product) and os.unlink(product)


@pytest.mark.parametrize("dtype", [">f4", "<i8", "?"])
def test_large_contiguous_data_keep_their_type_and_byte_order(plain, tmp_path, dtype):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(1_000_000).reshape(1000, 1000).astype(dtype)
    assert plain("--report", tmp_path / "r", tmp_path / "in.h5", tmp_path / "x.nc").returncode == 0
    assert judge(tmp_path / "in.h5", tmp_path / "x.nc", read_report(tmp_path / "r")).wrong == []


def test_few_chunks_of_a_billion_are_moved_in_no_time(plain, tmp_path):
    """The time goes with the chunks that are stored, not with those that could be."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        data = file.create_dataset("x", (10**8, 10**3), "f4", chunks=(10, 10), compression="gzip")
        data[5 * 10**7, 7] = 3
        data[10**8 - 1, 999] = 4
    assert plain(tmp_path / "in.h5", tmp_path / "x.nc", timeout=30).returncode == 0
    with h5py.File(tmp_path / "x.nc") as product:
        assert product["x"].id.get_num_chunks() == 2
        assert (product["x"][5 * 10**7, 7], product["x"][10**8 - 1, 999], product["x"][0, 0]) == (3, 4, 0)


@pytest.mark.parametrize("shape", [(2**32, 2**32), (2**22, 2**21, 2**21), (2**40, 2**40)], ids=str)
def test_more_elements_than_63_bits_count_are_left_out_by_name(plain, tmp_path, shape):
    """Their product may even be 0 in 64 bits; HDF5 1.10 crashes when it writes to such a dataset."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        rank = len(shape)
        data = file.create_dataset("x", (1,) * rank, "i2", chunks=(16,) * rank, maxshape=(None,) * rank)
        data[...] = 7
        data.resize(shape)
        file["y"] = 1
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc", timeout=30)
    assert (done.returncode, done.stderr) == (0, "_convert: left out '/x': it has more elements than can be counted\n")


@pytest.mark.parametrize("filters", [{}, {"compression": "gzip"}, {"fletcher32": True}, {"scaleoffset": 2},
                                     {"compression": "gzip", "shuffle": True, "fletcher32": True}], ids=str)
def test_sparse_data_stay_sparse_whatever_the_fill_attribute_says(plain, tmp_path, filters):
    """Many writers name a fill value without telling HDF5: what was never written is 0 all the same."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        data = file.create_dataset("x", (10**5, 10**5), "f4", chunks=(100, 100), **filters)
        data.attrs["_FillValue"] = np.float32(-9999)
        data[12_345, 54_321] = 3
    assert plain("--report", tmp_path / "r", tmp_path / "in.h5", tmp_path / "x.nc", timeout=30).returncode == 0
    assert (tmp_path / "x.nc").stat().st_size < 100_000
    with h5py.File(tmp_path / "x.nc") as product:
        assert product["x"].id.get_num_chunks() == 1
        assert (product["x"][12_345, 54_321], product["x"][0, 0]) == (3, 0)
        assert product["x"].attrs["_FillValue"] == -9999


def raw_chunks(path):
    with h5py.File(path) as file:
        data = file["x"].id
        return [data.read_direct_chunk(data.get_chunk_info(n).chunk_offset) for n in range(data.get_num_chunks())]


@pytest.mark.parametrize("values", [999, 1000], ids=["odd number of bytes", "even"])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_chunks_with_fletchers_checksum_are_moved_as_they_are(plain, tmp_path, out, compression, values):
    """And verified on the way: one changed byte gives no product, with and without deflate."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        data = np.random.default_rng(1).integers(0, 99, 20 * values).astype("u1")
        file.create_dataset("x", data=data, chunks=(values,), compression=compression, shuffle=bool(compression),
                            fletcher32=True)
        place = file["x"].id.get_chunk_info(3)
    assert plain("--report", tmp_path / "r", tmp_path / "in.h5", tmp_path / "x.nc").returncode == 0
    assert judge(tmp_path / "in.h5", tmp_path / "x.nc", read_report(tmp_path / "r")).wrong == []
    assert raw_chunks(tmp_path / "x.nc") == raw_chunks(tmp_path / "in.h5")
    content = bytearray((tmp_path / "in.h5").read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    (tmp_path / "bad.h5").write_bytes(content)
    done = plain(tmp_path / "bad.h5", out)
    assert done.returncode == INPUT and "cannot read '/x': a chunk is damaged" in done.stderr
    assert entries(out) == []


def test_list_takes_no_memory_for_data(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("x", (1 << 31,), "u1")[-1] = 1
    done = plain("--list", tmp_path / "in.h5",
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 28,) * 2))
    assert (done.returncode, done.stdout) == (0, "variable '/x': /x  ubyte  (dim_2147483648=2147483648)\n")


@pytest.mark.parametrize("limits", list(itertools.product((8, 9, None), repeat=2)), ids=str)
@pytest.mark.parametrize("padding", [0, 300_000], ids=["in memory", "in the file"])
def test_each_chunk_keeps_its_place_whatever_may_grow(plain, tmp_path, padding, limits):
    """Of some that may grow HDF5 says wrongly where they are; it shows where few chunks are stored."""
    values = np.zeros((8, 8))
    values[2:4, 0:2], values[6:, 2:4] = 5, 7
    with h5py.File(tmp_path / "in.h5", "w", libver=("earliest", "v110")) as file:
        file.create_dataset("x", (8, 8), "f8", chunks=(2, 2), maxshape=limits)
        for place in (slice(2, 4), slice(0, 2)), (slice(6, 8), slice(2, 4)):
            file["x"][place] = values[place]
        file["padding"] = np.ones(padding)
    with h5py.File(tmp_path / "in.h5", "r+", libver="v110") as file:
        data = file.create_dataset("new", (8, 8), "f8", chunks=(2, 2), maxshape=limits)
        for place in (slice(2, 4), slice(0, 2)), (slice(6, 8), slice(2, 4)):
            data[place] = values[place]
    assert plain(tmp_path / "in.h5", tmp_path / "x.nc").returncode == 0
    with h5py.File(tmp_path / "x.nc") as product:
        assert np.array_equal(product["x"], values) and np.array_equal(product["new"], values)


def test_chunks_left_behind_by_shrinking_are_not_moved(plain, tmp_path):
    """Values beyond the dataset's end are gone in the input, and in the product."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        data = file.create_dataset("x", data=np.arange(100), chunks=(10,), maxshape=(None,), compression="gzip")
        data.resize((35,))
    assert plain("--report", tmp_path / "r", tmp_path / "in.h5", tmp_path / "x.nc").returncode == 0
    assert judge(tmp_path / "in.h5", tmp_path / "x.nc", read_report(tmp_path / "r")).wrong == []


@pytest.mark.parametrize("value", ["core", "ros3", "family", "nonsense", "split"])
def test_hdf5_driver_of_the_environment_does_no_harm(plain, tmp_path, value):
    """HDF5_DRIVER would choose how files are opened, in every program of the environment."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(300_000)
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc", env={**os.environ, "HDF5_DRIVER": value})
    assert (done.returncode, done.stderr) == (0, "")
    with h5py.File(tmp_path / "x.nc") as product:
        assert product["x"][299_999] == 299_999


# ---- Chunks of a file that is too large for memory: read from the file itself, on several threads ----

FEW, MANY = 20_000, 500  # values a chunk; of many small chunks, HDF5 before 1.14 alone knows where they are


@pytest.fixture(scope="module", params=[(FEW, 0), (MANY, 0), (FEW, 512)], ids=["few", "many", "user block"])
def chunked(request, tmp_path_factory):
    """A file of 38 MB, and its values."""
    chunk, user_block = request.param
    path, values = tmp_path_factory.mktemp("chunked") / "in.h5", np.random.default_rng(3).random(5_000_000)
    with h5py.File(path, "w", userblock_size=user_block) as file:
        file.create_dataset("x", data=values, chunks=(chunk,), compression="gzip", compression_opts=1)
    return path, values


@pytest.mark.parametrize("options", [["--threads", "1"], ["--threads", "3"], ["--threads", "3", "--no-verify"]],
                         ids=" ".join)
def test_stored_chunks_are_moved_in_their_order(plain, chunked, tmp_path, options):
    """Whichever thread reads them, the product's bytes are the same."""
    path, values = chunked
    assert plain(*options, path, tmp_path / "x.nc").returncode == 0
    with h5py.File(tmp_path / "x.nc") as product:
        assert np.array_equal(product["x"][()], values)
        places = [product["x"].id.get_chunk_info(i) for i in range(100)]
    assert all(b.byte_offset >= a.byte_offset + a.size for a, b in itertools.pairwise(places))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_damaged_chunk_is_found_on_any_thread(plain, chunked, tmp_path, out, threads):
    """And named; nothing of the product is left."""
    path, _ = chunked
    with h5py.File(path) as file:
        chunk = file["x"].id.get_chunk_info(200)
        start = chunk.byte_offset
        data = bytearray(path.read_bytes())
    data[start + chunk.size // 2] ^= 1
    (tmp_path / "damaged.h5").write_bytes(data)
    done = plain("--threads", threads, tmp_path / "damaged.h5", out)
    assert (done.returncode, entries(out)) == (INPUT, [])
    assert "cannot read '/x': a chunk is damaged" in done.stderr


# ---- Inputs that change while they are converted ----

def make_large(path, kind):
    """Large enough that it is still being converted when its temporary product is seen."""
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        if kind == "contiguous":
            file["x"] = rng.random(15_000_000)
        else:
            file.create_dataset("x", data=rng.integers(0, 1000, 8_000_000), chunks=(20_000,), compression="gzip",
                                compression_opts=1)


def stop_in_the_middle(program, granule, out):
    """The converter, stopped once it has written data, unless it was faster."""
    process = subprocess.Popen([program, granule, out], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        begun = [path for path in out.iterdir() if path.name.startswith(".convert-")]
        if begun and begun[0].stat().st_blocks > 64:
            process.send_signal(signal.SIGSTOP)
            break
    return process


def overwrite(path):
    with path.open("r+b") as file:
        file.write(os.urandom(1000) * (path.stat().st_size // 1000))


CHANGES = {
    "removed": lambda granule: granule.unlink(),
    "replaced": lambda granule: (granule.with_suffix(".new").write_bytes(b"another file"),
                                 granule.with_suffix(".new").replace(granule)),
    "truncated": lambda granule: os.truncate(granule, 100_000),
    "emptied": lambda granule: os.truncate(granule, 0),
    "overwritten": lambda granule: overwrite(granule),
}


@pytest.mark.parametrize("kind", ["contiguous", "chunked"])
@pytest.mark.parametrize("change", CHANGES)
def test_input_that_changes_meanwhile_gives_the_whole_product_or_none(plain, tmp_path, out, kind, change):
    """Removed or replaced, it stays open; shorter or overwritten, it is refused or was read before.

    Contiguous data have no checksum: overwritten in place, they come out as whatever was there.
    """
    granule = tmp_path / "in.h5"
    make_large(granule, kind)
    process = stop_in_the_middle(plain.program, granule, out)
    CHANGES[change](granule)
    process.send_signal(signal.SIGCONT)
    _, stderr = process.communicate(timeout=60)
    if process.returncode:
        assert (process.returncode, entries(out)) == (INPUT, [])
        assert "cannot read" in stderr and change not in ("removed", "replaced")
        return
    assert entries(out) == ["in.nc"]
    if (kind, change) == ("contiguous", "overwritten"):
        return
    make_large(granule, kind)
    with h5py.File(granule) as before, h5py.File(out / "in.nc") as after:
        assert np.array_equal(before["x"][()], after["x"][()])


def test_one_process_keeps_no_file_open(plain, tmp_path):
    """After many inputs, good and bad, as many files are open as after the first."""
    with h5py.File(tmp_path / "good.h5", "w") as file:
        file.create_dataset("g/x", data=np.arange(1000), chunks=(100,), compression="gzip").attrs["a"] = ["b", "c"]
        file["compound"] = np.zeros(3, dtype=[("a", "i4")])
        file["link"] = h5py.SoftLink("/g/x")
    (tmp_path / "bad.h5").write_bytes((tmp_path / "good.h5").read_bytes()[:3000])
    with netCDF4.Dataset(tmp_path / "classic.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 3)
        file.createVariable("x", "f4", ("x",))[:] = 1
    process = subprocess.Popen([plain.program, "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    counts = set()
    for number in range(60):
        name = ("good.h5", "bad.h5", "classic.nc")[number % 3]
        process.stdin.write(f"{tmp_path / name}\0{tmp_path / 'x.nc'}\0")
        process.stdin.flush()
        assert process.stdout.readline()
        counts.add(len(os.listdir(f"/proc/{process.pid}/fd")))
    process.communicate(timeout=10)
    assert counts == {3}


@pytest.mark.parametrize("fill", [None, "none"], ids=["empty", "text"])
@pytest.mark.parametrize(("length", "limit", "chunk"), [(4, 4, 2), (10_000, None, 100), (7, 7, None)], ids=str)
def test_strings_that_were_written_in_part(plain, tmp_path, fill, length, limit, chunk):
    """HDF5 reads no chunk of strings that is not stored, if it has a fill value, as netCDF-4 gives all of them."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("x", limit)
        strings = file.createVariable("s", str, ("x",), chunksizes=chunk and (chunk,), fill_value=fill)
        if chunk:
            strings[length // 2] = "a"
            strings[length // 2 + 1] = "b"
        file.createVariable("n", "i4", ("x",))[:length] = 1
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    expected = [fill or ""] * length
    if chunk:
        expected[length // 2:length // 2 + 2] = "a", "b"
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        product.set_auto_mask(False)
        found = product["s"][:].tolist()
        assert found[:length // 2 + 2] == expected[:length // 2 + 2] and len(found) == length
        assert not chunk or limit is None or found == expected


def test_shuffle_of_a_filter_that_netcdf_lacks_is_set_once(plain, tmp_path):
    """Before szip there may be one already."""
    if not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
        pytest.skip("HDF5 has no szip here")
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("x", data=np.arange(1000), chunks=(100,), compression="szip", shuffle=True)
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    if "no plug-in" in done.stderr:
        pytest.skip("the converter's HDF5 has no szip")
    with h5py.File(tmp_path / "out.nc") as product:
        made = product["x"].id.get_create_plist()
        filters = [made.get_filter(number)[0] for number in range(made.get_nfilters())]
        assert filters == [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE]
        assert product["x"][:].tolist() == list(range(1000))


def test_chunks_are_not_looked_for_when_all_are_found(plain, tmp_path):
    """A hundred million possible ones, of an index of which HDF5 cannot say where they are."""
    with h5py.File(tmp_path / "in.h5", "w", libver=("v110", "v110")) as file:
        data = file.create_dataset("x", (50_000, 100_000), "i1", chunks=(10, 5), maxshape=(50_000, None),
                                   compression="gzip")
        data[3, 7] = 1
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc", timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    with h5py.File(tmp_path / "out.nc") as product:
        assert product["x"][3, 7] == 1 and product["x"].id.get_num_chunks() == 1
