"""Comparison: file sets, kinds, tolerances, and the text of the report."""

import faulthandler
import json
import os
import resource
import shutil
import signal
import time

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import shared

from cumulus import CumulusError, isolation
from cumulus.collection import CompareRules, Tolerance
from cumulus.compare import FileResult, Unreadable, compare, compare_files, report
from cumulus.compare import values as compare_values
from cumulus.compare.model import Comparison

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def pair(tmp_path):
    """Two directories."""
    for name in ("expected", "actual"):
        (tmp_path / name).mkdir()
    return tmp_path / "expected", tmp_path / "actual"


def messages(expected, actual, rules=None):
    return [difference.message for difference in compare_files(expected, actual, rules)]


def states(pair, rules=None):
    return {result.file: result.status for result in compare(*pair, rules)}


# --- file sets -------------------------------------------------------------------------------


def test_missing_and_extra_files_are_named(pair):
    for directory, names in zip(pair, (("a", "b"), ("b", "c")), strict=True):
        for name in names:
            (directory / name).write_text("x")
    assert states(pair) == {"a": "missing", "b": "equal", "c": "extra"}


def test_files_in_subdirectories_are_compared(pair):
    for directory, text in zip(pair, "xy", strict=True):
        (directory / "sub").mkdir()
        (directory / "sub" / "a").write_text(text)
    assert states(pair) == {"sub/a": "different"}


def test_dot_entries_do_not_count(pair):
    for directory in pair:
        (directory / "a").write_text("x")
    (pair[0] / ".gitkeep").touch()
    (pair[1] / ".cumulus").mkdir()
    (pair[1] / ".cumulus" / "report.json").touch()
    assert states(pair) == {"a": "equal"}


def test_nothing_expected_is_a_failure(pair):
    (pair[0] / ".gitkeep").touch()
    (pair[1] / "a").touch()
    with pytest.raises(CumulusError, match="nothing to compare"):
        compare(*pair)


def test_nothing_made_is_a_difference(pair):
    (pair[0] / "a").touch()
    assert compare(*pair).exit_status == 1


def test_linked_directories_count(pair, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").touch()
    (pair[0] / "sub").symlink_to(tmp_path / "real")
    assert states(pair) == {"sub/a": "missing"}


def test_file_that_is_gone_is_unreadable(pair):
    (pair[0] / "a").touch()
    (pair[1] / "a").symlink_to("nowhere")
    assert states(pair) == {"a": "unreadable"}


def test_pipe_is_unreadable_and_holds_nothing_up(pair):
    """Opening a pipe would wait for a writer."""
    for directory, text in zip(pair, "xy", strict=True):
        os.mkfifo(directory / "a")
        (directory / "b").write_text(text)
    results = {result.file: result for result in compare(*pair)}
    assert {name: result.status for name, result in results.items()} == {
        "a": "unreadable",
        "b": "different",
    }
    assert "no regular file" in results["a"].reason
    with pytest.raises(Unreadable, match="no regular file"):
        compare_files(pair[0] / "a", pair[1] / "b")


def test_link_that_leads_back_is_not_followed(pair):
    """Two such links, which multiply the paths, are not followed either."""
    for directory in pair:
        (directory / "sub").mkdir()
        (directory / "sub" / "a").touch()
    for name in ("x", "y"):
        (pair[1] / name).symlink_to(".")
        (pair[1] / "sub" / name).symlink_to("..")
    assert states(pair) == {"sub/a": "equal"}


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("by zero")])
def test_error_with_one_file_is_that_files_alone(pair, monkeypatch, error):
    """Any error of a file is reported with its name, and the other files are compared."""

    def fail(*_):
        raise error

    monkeypatch.setattr("cumulus.compare.json_files.json_differences", fail)
    for directory, text in zip(pair, "12", strict=True):
        (directory / "a").write_text(f"[{text}]")
        (directory / "b").write_text(text)
    results = {result.file: result for result in compare(*pair)}
    assert {name: result.status for name, result in results.items()} == {
        "a": "unreadable",
        "b": "different",
    }
    assert type(error).__name__ in results["a"].reason


def test_crash_within_a_library_is_that_files_alone(pair):
    """A damaged file may crash HDF5; here the process that compares really is killed."""

    class Deadly(CompareRules):
        def ignores_attribute(self, where, name):
            if name == "deadly":
                faulthandler.disable()  # pytest's would print the stack
                os.kill(os.getpid(), signal.SIGABRT)
            return super().ignores_attribute(where, name)

    for directory in pair:
        for name in ("a", "b", "c"):
            with netCDF4.Dataset(directory / f"{name}.nc", "w") as file:
                file.setncattr("deadly" if name == "b" else "title", str(directory))
    results = {result.file: result for result in compare(*pair, Deadly())}
    assert {name: result.status for name, result in results.items()} == {
        "a.nc": "different",
        "b.nc": "unreadable",
        "c.nc": "different",
    }
    assert "reading them failed (killed by SIGABRT)" in results["b.nc"].reason


def test_hang_within_a_library_is_that_files_alone(pair, monkeypatch):
    """A damaged file may make HDF5 loop for ever; here the process that compares sleeps."""

    class Endless(CompareRules):
        def ignores_attribute(self, where, name):
            if name == "endless":
                time.sleep(60)
            return super().ignores_attribute(where, name)

    monkeypatch.setattr("cumulus.compare.pairs.PATIENCE", 1)
    for directory in pair:
        for name in ("a", "b"):
            with netCDF4.Dataset(directory / f"{name}.nc", "w") as file:
                file.setncattr("endless" if name == "a" else "title", str(directory))
    results = {result.file: result for result in compare(*pair, Endless())}
    assert {name: result.status for name, result in results.items()} == {
        "a.nc": "unreadable",
        "b.nc": "different",
    }
    assert "reading them failed (no end after 1 s)" in results["a.nc"].reason


class _Marked(CompareRules):
    """Rules by which the attribute "act" names what happens to the process that compares."""

    def ignores_attribute(self, where, name):
        if name == "crash":
            faulthandler.disable()
            os.kill(os.getpid(), signal.SIGSEGV)
        if name == "hang":
            time.sleep(60)
        if name == "memory":
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            bytearray(1 << 34)
        return super().ignores_attribute(where, name)


@pytest.fixture
def started(monkeypatch):
    """Return a list that gains an entry with each process that starts."""
    processes, usual = [], isolation.Apart._start

    def start(apart):
        processes.append(apart)
        usual(apart)

    monkeypatch.setattr(isolation.Apart, "_start", start)
    return processes


@pytest.mark.parametrize(
    ("act", "reason", "processes"),
    [
        ("crash", "reading them failed (killed by SIGSEGV)", 3),
        ("hang", "reading them failed (no end after 1 s)", 2),
        ("memory", "MemoryError", 3),
    ],
)
def test_failure_amid_many_pairs_is_that_pairs_alone(
    pair, monkeypatch, started, act, reason, processes
):
    """All other pairs keep their results, and few processes are started."""
    monkeypatch.setattr("cumulus.compare.pairs.PATIENCE", 1)
    for directory in pair:
        for number in range(20):
            with netCDF4.Dataset(directory / f"{number:02}.nc", "w") as file:
                file.setncattr(act if number == 9 else "title", str(directory))
    results = list(compare(*pair, _Marked()))
    states = [result.status for result in results]
    assert states == ["different"] * 9 + ["unreadable"] + ["different"] * 10
    assert reason in results[9].reason
    assert len(started) == processes
    for result in results[:9] + results[10:]:
        (difference,) = result.differences
        assert (difference.expected, difference.actual) == tuple(map(str, pair))


def test_process_is_replaced_after_so_many_pairs(pair, monkeypatch, started):
    """What a library keeps of each file does not add up without end."""
    monkeypatch.setattr("cumulus.isolation.CALLS", 5)
    for directory in pair:
        for number in range(12):
            with netCDF4.Dataset(directory / f"{number:02}.nc", "w") as file:
                file.title = str(directory)
    assert set(states(pair).values()) == {"different"}
    assert len(started) == 3


def test_rules_for_variables_are_looked_up_in_one_process(pair, started):
    for directory in pair:
        for number in range(12):
            write(directory / f"{number:02}.nc", np.arange(3.0))
    comparison = compare(*pair, CompareRules(variables={"v": Tolerance(1.0)}))
    assert (comparison.verdict, comparison.unused_rules) == ("equal", ())
    assert len(started) == 2


def test_pairs_of_equal_documents_and_pictures_start_no_process(pair, started):
    for directory in pair:
        for name, content in (("a.png", PNG_HEAD), ("a.json", b"[1]"), ("a.xml", b"<a/>")):
            (directory / name).write_bytes(content)
    assert set(states(pair).values()) == {"equal"}
    assert started == []


@pytest.mark.parametrize("absent", [0, 1])
def test_absent_directory_is_one_sentence(pair, absent):
    pair[absent].rmdir()
    (pair[1 - absent] / "a").touch()
    with pytest.raises(CumulusError, match="does not exist"):
        compare(*pair)


def test_file_against_directory_is_one_sentence(pair):
    (pair[0] / "a").touch()
    with pytest.raises(CumulusError, match="directory with a file"):
        compare(pair[0] / "a", pair[1])


def test_stale_file_counts_as_missing(pair):
    for directory in pair:
        (directory / "a").write_text("x")
    (result,) = compare(*pair, stale={"a"})
    assert result.status == "missing"
    assert "left from an earlier" in result.reason


# --- kinds -----------------------------------------------------------------------------------


def differences(tmp_path, expected, actual, rules=None):
    paths = tmp_path / "expected.x", tmp_path / "actual.x"
    for path, content in zip(paths, (expected, actual), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return messages(*paths, rules)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("<a/>", "{}"),
        ("<a/>", "<a>"),
        ("{}", "text"),
        ("CDF\x01", "text"),
        ("\x89HDF\r\n\x1a\n", ""),
        ("", "text"),
    ],
)
def test_different_kinds_are_different(tmp_path, expected, actual):
    (line,) = differences(tmp_path, expected.encode("latin-1"), actual.encode("latin-1"))
    assert line.startswith("kind of file")


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        (b"\0bc", b"\0bd", "offset 2"),
        (b"\0bc", b"\0b", "expected 3 bytes, actual 2"),
        (b"\0" * 3_000_000, b"\0" * 2_999_999 + b"y", "offset 2999999"),
    ],
    ids=["value", "shorter", "late"],
)
def test_bytes_are_compared(tmp_path, expected, actual, message):
    (line,) = differences(tmp_path, expected, actual)
    assert message in line


@pytest.mark.parametrize("content", [b"", b"abc", b"<a>", b"{", b"\xff\xfe"])
def test_same_bytes_are_equal(tmp_path, content):
    assert differences(tmp_path, content, content) == []


# --- XML -------------------------------------------------------------------------------------

XML = "<G a='1'><T>now</T><D><S>1</S><S>2</S></D></G>"


@pytest.mark.parametrize(
    "other",
    [
        XML.replace("'", '"'),
        XML.replace("><", ">\n   <"),
        '<?xml version="1.0"?><!-- c -->' + XML,
        XML.replace("1</S>", "&#49;</S>"),
    ],
    ids=["quotes", "white space", "declaration and comment", "reference"],
)
def test_xml_of_one_meaning_is_equal(tmp_path, other):
    assert differences(tmp_path, XML, other) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("now", "then", "/G/T: expected 'now', actual 'then'"),
        ("a='1'", "a='2'", "/G/@a: expected '1', actual '2'"),
        ("a='1'", "", "/G/@a is missing"),
        ("a='1'", "a='1' b='2'", "/G/@b is extra"),
        ("<S>2</S>", "", "/G/D/S[2] is missing"),
        ("<S>2</S>", "<S>2</S><S>3</S>", "/G/D/S[3] is extra"),
        ("<S>1</S><S>2</S>", "<S>2</S><S>1</S>", "/G/D/S: expected '1', actual '2'"),
        ("<T>now</T><D><S>1</S><S>2</S></D>", "<D><S>1</S><S>2</S></D><T>now</T>", "order"),
        ("</T>", "</T>text", "text() after T[1] is extra"),
        ("<G a", "<G xmlns='u' a", "is missing"),
    ],
)
def test_every_change_of_xml_is_found(tmp_path, old, new, message):
    report_lines = differences(tmp_path, XML, XML.replace(old, new).replace("</G>", "</G>"))
    assert any(message in line for line in report_lines), report_lines


TWO = "<a xmlns:p='u1' xmlns:q='u2' {}/>"
SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
TYPED = f"<a xmlns:i='{SCHEMA}' xmlns:{{}}='{{}}'><b i:type='{{}}:t'/></a>"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (TWO.format("p:x='1' q:x='2'"), TWO.format("q:x='2' p:x='1'")),
        ("<p:a xmlns:p='u'/>", "<a xmlns='u'/>"),
        (TYPED.format("p", "u1", "p"), TYPED.format("q", "u1", "q")),
        (TYPED.format("p", "u1", "p"), TYPED.format("p", "u1", " p")),
    ],
)
def test_names_of_one_namespace_are_equal(tmp_path, expected, actual):
    """The order of declarations and the prefix do not count."""
    assert differences(tmp_path, expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        (TYPED.format("p", "u1", "p"), TYPED.format("p", "u2", "p"), "expected '{u1}t', actual"),
        (TWO.format("p:x='1'"), TWO.format("q:x='1'"), "/a/@{u1}x is missing"),
        (
            "<a xml:space='preserve'><b> x </b></a>",
            "<a xml:space='preserve'><b>x</b></a>",
            "/a/b: expected ' x ', actual 'x'",
        ),
        (
            "<a xml:space='preserve'><b/> </a>",
            "<a xml:space='preserve'><b/></a>",
            "text() after b[1] is missing",
        ),
    ],
)
def test_namespace_and_preserved_white_space_count(tmp_path, expected, actual, message):
    report_lines = differences(tmp_path, expected, actual)
    assert any(message in line for line in report_lines), report_lines


def test_white_space_counts_only_where_it_is_preserved(tmp_path):
    text = "<a xml:space='preserve'><b xml:space='default'>{}</b></a>"
    assert differences(tmp_path, text.format(" x "), text.format("x")) == []


def test_content_at_an_ignored_xpath_does_not_count(tmp_path):
    rules = CompareRules(ignore_xpaths=("T", "D"))
    other = XML.replace("now", "then").replace("<S>2</S>", "")
    assert differences(tmp_path, XML, other, rules) == []


@pytest.mark.parametrize("letter", ["\u00a0", "\u2003"])
def test_letter_that_only_looks_like_white_space_counts_in_xml(tmp_path, letter):
    assert differences(tmp_path, "<a>x</a>", f"<a>x{letter}</a>")


def test_ignored_element_must_still_be_there(tmp_path):
    rules = CompareRules(ignore_xpaths=("T",))
    assert differences(tmp_path, XML, XML.replace("<T>now</T>", ""), rules)


# --- JSON ------------------------------------------------------------------------------------

JSON = {"a": 1, "b": [{"c": "x", "d": 1.5}, {"c": "y"}], "e": None, "f": True}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda j: j.update(a=2), "/a: expected '1', actual '2'"),
        (lambda j: j.update(a="1"), "/a: expected '1'"),
        (lambda j: j.update(f=1), "/f: expected 'true', actual '1'"),
        (lambda j: j.update(e=False), "/e: expected 'null', actual 'false'"),
        (lambda j: j.pop("e"), "/e is missing"),
        (lambda j: j.update(g=0), "/g is extra"),
        (lambda j: j["b"].pop(), "/b: expected 'a list of 2', actual 'a list of 1'"),
        (lambda j: j["b"].reverse(), "/b[0]/c: expected"),
        (lambda j: j.update(b={}), "/b: expected 'a list of 2', actual 'an object'"),
        (lambda j: j.update(a=[]), "/a: expected '1', actual 'a list of 0'"),
        (lambda j: j["b"][0].update(d=1.5000000001), "/b[0]/d"),
    ],
)
def test_every_change_of_json_is_found(tmp_path, change, message):
    other = json.loads(json.dumps(JSON))
    change(other)
    report_lines = differences(tmp_path, json.dumps(JSON), json.dumps(other))
    assert any(message in line for line in report_lines), report_lines


def test_json_of_one_meaning_is_equal(tmp_path):
    other = json.dumps(dict(reversed(JSON.items())), indent=3).replace('"a": 1', '"a": 1.0')
    assert differences(tmp_path, json.dumps(JSON), other) == []


@pytest.mark.parametrize(
    ("expected", "actual", "equal"),
    [
        ("1000.0", "1000.001", True),
        ("1000.0", "1000.0010000001", False),
        ("1000.00001", "1000", True),
        ("1580561000.5", "1580561999.5", False),
        ("1000000000", "1000000001", False),
        ("100000000000000000.0", "100000000000000001", True),
        ("2.0", "2.1", False),
        ('"2.0"', "2", False),
        ("true", "1.0", False),
    ],
)
def test_number_with_a_fraction_in_json_has_a_tolerance(tmp_path, expected, actual, equal):
    """A fraction of zero makes no difference."""
    assert (
        differences(tmp_path, f"[{expected}]", f"[{actual}]", CompareRules(rtol=1e-6)) == []
    ) == equal


def test_time_in_json_has_no_tolerance_and_what_it_holds_neither(tmp_path):
    rules = CompareRules(rtol=1e-6)
    expected, actual = '{"%s": [2020.5]}', '{"%s": [2020.501]}'
    for name, equal in (("Times", False), ("Length", True)):
        assert (differences(tmp_path, expected % name, actual % name, rules) == []) == equal


@pytest.mark.parametrize("other", ['{"a": 2, "a": 1}', '{"a": 1e400}'])
def test_json_that_holds_more_than_a_reader_sees_is_never_equal(tmp_path, other):
    """Only the last value of a repeated key would be seen, and a huge number would be infinite."""
    with pytest.raises(Unreadable, match=r"more than once|double precision"):
        differences(tmp_path, '{"a": 1}', other)


def test_repeated_key_is_found_among_many(tmp_path):
    """The answer comes at once; counting each key by itself takes minutes."""
    keys = ", ".join(f'"k{number}": 1' for number in range(100_000))
    for name, last in (("a", 1), ("b", 2)):
        (tmp_path / name).write_text(f'{{{keys}, "k99999": {last}}}')
    started = time.monotonic()
    with pytest.raises(Unreadable, match="'k99999' more than once"):
        compare_files(tmp_path / "a", tmp_path / "b")
    assert time.monotonic() - started < 30


def test_large_integer_in_json_is_exact(tmp_path):
    assert differences(tmp_path, "[100000000000000000.0]", "[100000000000000001]")


def test_value_at_an_ignored_key_does_not_count(tmp_path):
    other = json.loads(json.dumps(JSON))
    other["b"][0]["c"] = other["b"][1]["c"] = "z"
    rules = CompareRules(ignore_keys=("b/c",))
    assert differences(tmp_path, json.dumps(JSON), json.dumps(other), rules) == []


def test_ignored_key_must_still_be_there(tmp_path):
    other = json.loads(json.dumps(JSON))
    del other["b"][0]["c"]
    rules = CompareRules(ignore_keys=("b/c",))
    assert differences(tmp_path, json.dumps(JSON), json.dumps(other), rules)


def test_slashes_in_keys_hide_nothing(tmp_path):
    assert differences(tmp_path, '{"a": {"b": 1}}', '{"a/b": 1, "a": {}}')


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=2),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text("ab/[0]", max_size=4), children, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(ANY_JSON, ANY_JSON)
def test_json_is_equal_exactly_when_its_content_is(tmp_path_factory, expected, actual):
    folder = tmp_path_factory.getbasetemp()
    report_lines = differences(folder, json.dumps([expected]), json.dumps([actual]))
    assert (report_lines == []) == (
        json.dumps(expected, sort_keys=True) == json.dumps(actual, sort_keys=True)
    )


def test_document_that_is_nested_too_deeply_is_no_traceback(tmp_path):
    for deep in ("[" * 900 + "1" + "]" * 900, "<a>" * 3000 + "</a>" * 3000):
        try:
            assert differences(tmp_path, deep, deep.replace("1", "2")) is not None
        except Unreadable as error:
            assert "nested too deeply" in str(error)


# --- NetCDF: tolerances and classes ----------------------------------------------------------


def write(path, values, kind="f4", *, fill=None, **attributes):
    with netCDF4.Dataset(path, "w") as dataset:
        values = np.asarray(values)
        names = [f"d{i}" for i in range(values.ndim)]
        for name, length in zip(names, values.shape, strict=True):
            dataset.createDimension(name, length)
        variable = dataset.createVariable("v", kind, names, fill_value=fill)
        variable.setncatts(attributes)
        variable.set_auto_maskandscale(False)
        variable[...] = values
    return path


def lines(tmp_path, expected, actual, rules=None, kind="f4", **attributes):
    expected_file = write(tmp_path / "expected.nc", expected, kind, **attributes)
    actual_file = write(tmp_path / "actual.nc", actual, kind, **attributes)
    return messages(expected_file, actual_file, rules)


def test_report_names_place_values_count_and_size(tmp_path):
    expected = np.zeros((4, 5))
    actual = expected.copy()
    actual[1, 2], actual[3, 4] = 1, -2
    assert lines(tmp_path, expected + 10, actual + 10) == [
        "/v: 2 of 20 values differ\n"
        "    worst at [3][4]: expected 10.0, actual 8.0\n"
        "    largest difference 2, relative 0.2 (tolerance: rtol 0, atol 0)"
    ]


@pytest.mark.parametrize(
    ("rules", "equal"),
    [
        (CompareRules(), False),
        (CompareRules(rtol=1e-3), True),
        (CompareRules(atol=0.2), True),
        (CompareRules(rtol=1e-5), False),
        (CompareRules(variables={"v": Tolerance(rtol=1e-3)}), True),
        (CompareRules(rtol=1, variables={"v": Tolerance(rtol=0)}), False),
        (CompareRules(rtol=1e-3, variables={"v": Tolerance(atol=1e-9)}), True),
        (CompareRules(variables={"w": Tolerance(rtol=1e-3)}), False),
    ],
)
def test_tolerance(tmp_path, rules, equal):
    assert (lines(tmp_path, [100.0], [100.09], rules) == []) == equal


def test_general_tolerance_is_not_for_integers(tmp_path):
    rules = CompareRules(rtol=0.5, atol=10)
    assert lines(tmp_path, [100], [101], rules, kind="i4")


def test_own_tolerance_is_for_integers_too(tmp_path):
    rules = CompareRules(variables={"v": Tolerance(atol=1)})
    assert lines(tmp_path, [100], [101], rules, kind="i4") == []
    assert lines(tmp_path, [100], [102], rules, kind="i4")


def test_general_tolerance_is_not_for_times(tmp_path):
    units = {"units": "seconds since 1970-01-01"}
    assert lines(tmp_path, [1.5e9], [1.5e9 + 1], CompareRules(rtol=1e-6), "f8", **units)


def test_times_may_differ_by_rounding(tmp_path):
    units = {"units": "seconds since 1970-01-01"}
    other = np.nextafter(1.5e9, 2e9)
    assert lines(tmp_path, [1.5e9], [other], CompareRules(rtol=1e-6), "f8", **units) == []


@pytest.mark.parametrize("kind", ["u1", "i1", "u8", "i8"])
def test_integers_of_any_size_are_exact(tmp_path, kind):
    limits = np.iinfo(kind)
    # Not the very largest: some of them are the library's fill values.
    values = np.array([limits.min, limits.max - 16], kind)
    other = np.array([limits.min, limits.max - 15], kind)
    (line,) = lines(tmp_path, values, other, kind=kind)
    assert "largest difference 1," in line
    other[0] = limits.max - 15
    assert f"largest difference {float(limits.max) - 15 - float(limits.min):.6g}" in str(
        lines(tmp_path, values, other, kind=kind)
    )


SPECIAL = {"fill": -9999.0, "NaN": np.nan, "+inf": np.inf, "-inf": -np.inf, "valid": 1.0}


@pytest.mark.parametrize("actual", SPECIAL)
@pytest.mark.parametrize("expected", SPECIAL)
def test_classes_of_values_differ_whatever_the_tolerance(tmp_path, expected, actual):
    rules = CompareRules(rtol=1e9, atol=1e9)
    values = [[0.0, SPECIAL[kind]] for kind in (expected, actual)]
    report_lines = lines(tmp_path, *values, rules, fill=-9999.0)
    if expected == actual:
        assert report_lines == []
    else:
        assert "[1]" in report_lines[0]
        assert report_lines[0].endswith(f"changed their class: 1 {expected} -> {actual}")


def test_missing_value_is_no_value_either(tmp_path):
    rules = CompareRules(atol=1e9)
    assert lines(tmp_path, [-1.0], [0.0], rules, missing_value=np.float32(-1))


def test_other_fill_value_is_named_once(tmp_path):
    expected = write(tmp_path / "a.nc", [-1.0, 5], fill=-1.0)
    actual = write(tmp_path / "b.nc", [-2.0, 5], fill=-2.0)
    (line,) = messages(expected, actual)
    assert "attribute _FillValue" in line


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        ("km", "m", "attribute a: expected 'km', actual 'm'"),
        (np.float64(1), np.float64(2), "attribute a: expected 1.0, actual 2.0"),
        (np.float64(1), np.float32(1), "attribute a: expected type float64, actual float32"),
        (np.array([1, 2]), np.array([1, 3]), "attribute a: expected [1 2], actual [1 3]"),
        ("x" * 5000, "y", "attribute a: expected 'xxx"),
    ],
)
def test_attributes_are_shown_briefly(tmp_path, expected, actual, message):
    expected_file, actual_file = (
        write(tmp_path / f"{n}.nc", [1.0], a=a) for n, a in enumerate((expected, actual))
    )
    (line,) = messages(expected_file, actual_file)
    assert message in line
    assert len(line) < 300


def test_packed_values_are_compared_as_stored(tmp_path):
    report_lines = lines(tmp_path, [100], [101], kind="i2", scale_factor=1e-9)
    assert "expected 100, actual 101" in report_lines[0]


def test_negative_zero_is_zero(tmp_path):
    assert lines(tmp_path, [0.0], [-0.0]) == []


def test_values_of_another_type_are_still_compared(tmp_path):
    expected, actual = write(tmp_path / "a.nc", [1.0], "f4"), write(tmp_path / "b.nc", [2.0], "f8")
    report_lines = messages(expected, actual)
    assert report_lines[0] == "/v: expected type float32, actual float64"
    assert "1 of 1 values differ" in report_lines[1]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), ()])
def test_arrays_without_or_with_one_value_are_equal(tmp_path, shape):
    assert lines(tmp_path, np.zeros(shape), np.zeros(shape)) == []


def test_only_value_is_compared(tmp_path):
    assert "worst at the only value" in lines(tmp_path, 1.0, 2.0)[0]


@given(
    st.lists(st.integers(1, 9), min_size=0, max_size=4),
    st.lists(st.integers(1, 9), min_size=4, max_size=4),
    st.booleans(),
    st.integers(1, 50),
)
def test_blocks_cover_every_value_once_and_are_bounded(shape, chunks, chunked, room):
    class Variable:
        def __init__(self):
            self.shape, self.dtype = tuple(shape), np.dtype("i1")

        def chunking(self):
            return chunks[: len(shape)] if chunked else "contiguous"

    before, compare_values.BLOCK = compare_values.BLOCK, room
    try:
        seen = np.zeros(shape, int)
        for block in compare_values.blocks(Variable()):
            seen[block] += 1
            assert seen[block].size <= room
    finally:
        compare_values.BLOCK = before
    assert (seen == 1).all()


def test_worst_place_is_right_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(compare_values, "BLOCK", 28)
    expected = np.zeros((5, 6))
    actual = expected.copy()
    actual[1, 1], actual[4, 5], actual[2, 3] = 1, 3, 2
    (line,) = lines(tmp_path, expected, actual)
    assert "3 of 30 values differ\n    worst at [4][5]: expected 0.0, actual 3.0" in line


def test_memory_stays_bounded(tmp_path):
    import tracemalloc

    write(tmp_path / "a.nc", np.zeros(40_000_000, "i1"), "i1")
    write(tmp_path / "b.nc", np.append(np.zeros(39_999_999, "i1"), 1), "i1")
    tracemalloc.start()
    (line,) = messages(tmp_path / "a.nc", tmp_path / "b.nc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "worst at [39999999]" in line
    assert peak < 32_000_000


# --- NetCDF: files that cannot be compared ---------------------------------------------------


def test_damaged_file_is_unreadable(pair):
    write(pair[0] / "a.nc", np.arange(1000.0))
    content = (pair[0] / "a.nc").read_bytes()
    (pair[1] / "a.nc").write_bytes(content[: len(content) // 2])
    results = compare(*pair)
    assert [result.status for result in results] == ["unreadable"]
    assert results.exit_status == 2


def test_damage_in_the_data_is_unreadable(tmp_path):
    for name in ("a.nc", "b.nc"):
        with netCDF4.Dataset(tmp_path / name, "w") as dataset:
            dataset.createDimension("d", 100_000)
            values = np.random.default_rng(1).random(100_000)
            dataset.createVariable("v", "f8", ("d",), zlib=True, chunksizes=(100_000,))[:] = values
    content = bytearray((tmp_path / "b.nc").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 1000] = bytes(1000)
    (tmp_path / "b.nc").write_bytes(content)
    with pytest.raises(Unreadable, match=r"cannot read"):
        messages(tmp_path / "a.nc", tmp_path / "b.nc")


def test_types_that_the_library_skips_are_not_passed_over(tmp_path):
    source = shared("data/hdf5/hdf5src1.10.8__h5diff_dset1.h5")
    other = shared("data/hdf5/hdf5src1.10.8__h5diff_dset2.h5")
    with pytest.raises(Unreadable, match="/refreg: it holds references"):
        messages(source, other)
    shutil.copy(source, tmp_path / "copy.h5")
    assert messages(source, tmp_path / "copy.h5") == []


LONG = "x" * 500


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (LONG + "a" + LONG, LONG + "b" + LONG),
        (LONG, LONG + "y"),
        (np.arange(2000), np.where(np.arange(2000) == 1000, 0, np.arange(2000))),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-12])),
    ],
    ids=["in the middle", "at the end", "array", "digits"],
)
def test_message_shows_where_long_values_differ(tmp_path, expected, actual):
    """An attribute, a text variable and a line of a text are shown around the difference."""
    for name, value in (("a.nc", expected), ("b.nc", actual)):
        with netCDF4.Dataset(tmp_path / name, "w") as file:
            file.setncattr("note", value)
            if isinstance(value, str):
                file.createVariable("v", str, ())[...] = value
                (tmp_path / name).with_suffix(".txt").write_text(value)
    all_differences = compare_files(tmp_path / "a.nc", tmp_path / "b.nc")
    if isinstance(expected, str):
        all_differences += compare_files(tmp_path / "a.txt", tmp_path / "b.txt")
        assert len(all_differences) == 3
    for difference in all_differences:
        expected_part, _, actual_part = difference.message.partition(", actual ")
        assert expected_part.partition("expected ")[2] != actual_part
        assert difference.expected != difference.actual
        assert len(difference.message) < 500


# --- report ----------------------------------------------------------------------------------


def test_report_is_a_few_lines_a_file(pair):
    for directory, text in zip(pair, ("\0x", "\0y"), strict=True):
        (directory / "a").write_text(text)
        (directory / "same").write_text("")
    assert report(compare(*pair)).splitlines() == [
        "'a': different",
        "    bytes differ from offset 1 on",
        "2 files compared: 1 different, 1 equal",
    ]


def test_report_of_many_differences_is_short(tmp_path):
    text = "<a>" + "".join(f"<b{i}/>" for i in range(500)) + "</a>"
    (tmp_path / "a.xml").write_text(text)
    (tmp_path / "b.xml").write_text("<a/>")
    text = report(compare(tmp_path / "a.xml", tmp_path / "b.xml"))
    assert len(text.splitlines()) == 13
    assert "and 490 more" in text


@pytest.mark.parametrize(
    ("states_", "status"),
    [({"equal"}, 0), ({"equal", "extra"}, 1), ({"missing"}, 1), ({"different", "unreadable"}, 2)],
)
def test_exit_status(states_, status):
    files = tuple(FileResult("a", state) for state in sorted(states_))
    assert Comparison("", "", files).exit_status == status
