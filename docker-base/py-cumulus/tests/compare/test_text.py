"""Comparison of texts and tables: what may differ, what may not, and the message."""

import time

import pytest

from cumulus.collection import CompareRules, Tolerance
from cumulus.compare import compare, compare_files
from cumulus.products.formats import BYTES, EMPTY, TABLE, TEXT, kind_of

RULES = CompareRules(rtol=1e-6)
TABLE_TEXT = "time,altitude,temp,flag\n" + "".join(
    f"{i},{100 * i},{270 + i / 7:.6f},A{i}\n" for i in range(20)
)
SOUNDING = """Data Type: AVAPS SOUNDING DATA
Release Site 12:  -60.1234, 20.5
------ ------ ------
  0.00  1013.2  26.51
  0.50  1012.8  26.43
"""


def differences(tmp_path, expected, actual, rules=RULES):
    paths = tmp_path / "expected", tmp_path / "actual"
    for path, content in zip(paths, (expected, actual), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return compare_files(*paths, rules)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", EMPTY),
        (b"a,b\n1,2\n", TABLE),
        (b"a;b\n1;2\n", TABLE),
        (b"a\tb\n1\t2\n", TABLE),
        (b'a,b\n"1,5",2\n', TABLE),
        (b"a,b\n", TEXT),
        (b"a,b\n1,2,3\n", TEXT),
        (b"21\xb0 north\n", TEXT),
        (b"a\0b", BYTES),
        (b"\x1b[1m", BYTES),
        (b"<a", TEXT),
        (b"a,b\n" + b"1,2\n" * 9000, TABLE),
    ],
)
def test_kind_is_seen_from_the_content(tmp_path, content, kind):
    """The content decides, not the name; a broken document is a text."""
    (tmp_path / "x").write_bytes(content)
    assert kind_of(tmp_path / "x") == kind


# --- texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [("26.51", "26.510001"), ("1013.2", "1013.20"), ("1012.8", "1.0128e3")],
)
def test_number_in_a_text_may_differ_within_the_tolerance(tmp_path, old, new):
    """Another notation or rounding is the same measurement."""
    assert differences(tmp_path, SOUNDING, SOUNDING.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("26.51", "26.52"),
        ("Site 12", "Site 13"),
        ("AVAPS", "DROPS"),
        ("  0.50", " 0.50"),
        ("26.43\n", "26.43"),
        ("26.43\n", "26.43\r\n"),
        ("-60.1234", "60.1234"),
        ("26.51", "nan"),
        ("------ ------ ------\n", ""),
    ],
)
def test_every_other_change_of_a_text_is_found(tmp_path, old, new):
    """Words, white space, line ends, signs and integers are exact."""
    (difference,) = differences(tmp_path, SOUNDING, SOUNDING.replace(old, new))
    assert difference.category == "text"


def test_large_number_in_a_text_may_be_a_time(tmp_path):
    """The general tolerance does not grow with a large number, which may be a time."""
    for number in ("1580561{}.5", "1.580561{}5e9"):
        expected, actual = (f"at {number.format(text)} s\n" for text in ("999", "000"))
        assert differences(tmp_path, expected, actual)
    for actual, equal in (("101325.02", True), ("101325.03", False)):
        assert (differences(tmp_path, "101325.01 Pa\n", f"{actual} Pa\n") == []) == equal


def test_without_a_tolerance_a_text_must_be_the_same(tmp_path):
    """Without a tolerance, 1.0 and 1.00 are two texts."""
    assert differences(tmp_path, SOUNDING, SOUNDING.replace("1013.2", "1013.20"), CompareRules())


def test_number_that_is_part_of_a_name_is_no_number(tmp_path):
    """A number within a name or a version has no tolerance."""
    assert differences(tmp_path, "ATB_532.0 v1.5.3\n", "ATB_532.00 v1.5.3\n")
    assert differences(tmp_path, "ATB_532.0 v1.5.3\n", "ATB_532.0 v1.5.30\n")


def test_long_number_takes_no_time(tmp_path):
    """A million digits are compared in linear time."""
    digits = "1" * 300_000 + "x"
    begun = time.monotonic()
    assert differences(tmp_path, f"a {digits} 1.5\n", f"a {digits} 1.6\n")
    assert time.monotonic() - begun < 10


def test_text_message_names_the_worst_line_and_counts(tmp_path):
    """The message shows a changed word rather than a number."""
    other = SOUNDING.replace("26.51", "27.51").replace("AVAPS", "DROPS")
    (difference,) = differences(tmp_path, SOUNDING, other)
    assert difference.message == (
        "2 of 5 lines differ\n    worst in line 1: expected 'Data Type: AVAPS SOUNDING DATA\\n', "
        "actual 'Data Type: DROPS SOUNDING DATA\\n'"
    )
    assert difference.actual == f"1: {other.splitlines(True)[0]}4: {other.splitlines(True)[3]}"


def test_text_message_names_a_different_number_of_lines(tmp_path):
    """Lines that only one side has are differences."""
    (difference,) = differences(tmp_path, SOUNDING, SOUNDING + "  1.00  1012.0  26.40\n")
    assert (
        "actual '  1.00" in difference.message
        and "expected 5 lines, actual 6" in difference.message
    )


# --- tables ----------------------------------------------------------------------------------


def test_table_message_names_column_row_values_and_size(tmp_path):
    """Rows count from 1 below the header; the first column identifies the row."""
    other = TABLE_TEXT.replace("270.142857", "271.142857").replace("A7", "B7")
    temp, flag = differences(tmp_path, TABLE_TEXT, other)
    assert temp.message == (
        "column 'temp': 1 of 20 values differ\n"
        "    worst at [1] (row 2, time 1): expected '270.142857', actual '271.142857'\n"
        "    largest difference 1, relative 0.00370175 (tolerance: rtol 1e-06, atol 0)"
    )
    assert (flag.variable, flag.values.index, flag.values.largest) == ("flag", (7,), None)


@pytest.mark.parametrize(
    ("old", "new", "category", "message"),
    [
        ("altitude", "height", "missing", "column 'altitude' is missing"),
        ("time,altitude", "altitude,time", "shape", "actual order altitude, time, temp, flag"),
        ("19,1900,272.714286,A19\n", "", "shape", "expected 20 rows, actual 19"),
        ("1,100", "1,101", "value", "column 'altitude'"),
        ("270.142857", "", "value", "actual ''"),
        ("270.142857", "nan", "value", "actual 'nan'"),
        (",A3", ", A3", "value", "column 'flag'"),
    ],
)
def test_every_change_of_a_table_is_found(tmp_path, old, new, category, message):
    """Header, order of columns, rows and cells count; integers are exact."""
    results = differences(tmp_path, TABLE_TEXT, TABLE_TEXT.replace(old, new))
    assert any(
        difference.category == category and message in difference.message for difference in results
    ), results


def test_row_that_breaks_the_form_of_a_table_is_found(tmp_path):
    """A row far below the part that decided the kind is compared."""
    expected = TABLE_TEXT + "0,0,0.5,A0\n" * 2000
    (difference,) = differences(tmp_path, expected + "1,2,3.5,A\n", expected + "1,2,3.5,A,x\n")
    assert "row 2021: expected 4 cells, actual 5" in difference.message


def test_cells_may_differ_within_the_tolerance_and_layout_does_not_count(tmp_path):
    """Quotes and line ends do not count."""
    other = TABLE_TEXT.replace("270.142857", '"270.14285701"').replace("\n", "\r\n")
    assert differences(tmp_path, TABLE_TEXT, other) == []


@pytest.mark.parametrize(
    ("name", "value", "other", "equal"),
    [
        ("x", "1580561999.5", "1580561000.5", False),
        ("x", "10000.01", "10000.019", True),
        ("Time", "2020.5", "2020.501", False),
        ("Length", "2020.5", "2020.501", True),
    ],
)
def test_general_tolerance_is_not_for_times(tmp_path, name, value, other, equal):
    """A column of times has no general tolerance; its own rule holds."""
    texts = [f"{name},v\n{cell},1\n" for cell in (value, other)]
    assert (differences(tmp_path, *texts) == []) == equal
    own = CompareRules(variables={name: Tolerance(rtol=1e-6)})
    assert differences(tmp_path, *texts, own) == []


def test_column_has_a_tolerance_of_its_own(tmp_path):
    """A column has a rule of its own, which holds for integers, too."""
    rules = CompareRules(variables={"altitude": Tolerance(atol=1)})
    other = TABLE_TEXT.replace("1,100", "1,101")
    assert differences(tmp_path, TABLE_TEXT, other, rules) == []
    assert differences(tmp_path, TABLE_TEXT, TABLE_TEXT.replace("1,100", "1,102"), rules)


def test_ignored_column_may_differ_but_must_be_there(tmp_path):
    """The cells of an ignored column do not count; the column must exist."""
    rules = CompareRules(ignore_variables=("fl*",))
    assert differences(tmp_path, TABLE_TEXT, TABLE_TEXT.replace("A7", "B7"), rules) == []
    assert differences(tmp_path, TABLE_TEXT, TABLE_TEXT.replace("flag", "sign"), rules)


def test_second_column_of_a_name_is_compared_too(tmp_path):
    """The second column of the same name is compared."""
    (difference,) = differences(tmp_path, "a,a\n1,2\n", "a,a\n1,3\n")
    assert difference.variable == "a (column 2)"


def test_table_without_header_is_compared_by_position(tmp_path):
    """A first row of numbers is compared as a row."""
    (difference,) = differences(tmp_path, "1,2\n3,4\n", "1,2\n3,5\n")
    assert difference.variable == "(column 2)" and difference.values.index == (1,)


def test_table_with_a_cell_beyond_the_limit_is_compared_as_text(tmp_path):
    """An unclosed quote makes a huge cell; the files are compared as texts."""
    cell = "x,1\n" * 50_000
    (difference,) = differences(tmp_path, f'{TABLE_TEXT}"{cell}', f'{TABLE_TEXT}"{cell}y')
    assert difference.category == "text"


def test_other_delimiter_is_one_difference(tmp_path):
    """The delimiter is the difference, not every cell."""
    (difference,) = differences(tmp_path, "a,b\n1,2\n", "a;b\n1;2\n")
    assert difference.message == "expected the delimiter ',', actual ';'"


def test_bytes_that_are_no_utf8_are_compared_and_shown(tmp_path):
    """Bytes that are not UTF-8, such as Latin-1 degree signs, are compared."""
    other = "a,b\n\xb0 1,2\n".encode("latin-1")
    (tmp_path / "a").write_bytes("a,b\n\xb0 1,3\n".encode("latin-1"))
    (tmp_path / "b").write_bytes(other)
    from cumulus.compare import report

    text = report(compare(tmp_path / "a", tmp_path / "b"))
    assert "\\udcb0 1" in text and text.encode()


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize(
    ("name", "whole", "part"),
    [
        ("a.json", '{"a": 1, "s": {"x": [1, {"y": 2}], "z": 3}}', '{"a": 1}'),
        ("a.xml", '<g xmlns="http://x/y"><a>1</a><s><x k="v"><y>2</y></x></s></g>',
         '<g xmlns="http://x/y"><a>1</a></g>'),
    ],
)  # fmt: skip
def test_what_one_side_lacks_is_told_once_with_all_that_is_in_it(
    tmp_path, name, whole, part, missing
):
    for folder, text in zip("ea", (whole, part) if missing else (part, whole), strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    (difference,) = compare_files(tmp_path / "e" / name, tmp_path / "a" / name)
    assert difference.category == ("missing" if missing else "extra")
    assert difference.variable.endswith("s")


JSON_SIZES = '"Size": 0.03, "SizeUnit": "MB", '
JSON_RECORD = (
    '{"DataGranule": {"ArchiveAndDistributionInformation": [{"Name": "X.nc", %s"SizeInBytes": 3}]}}'
)
XML_SIZE = "<DataGranuleSizeInBytes>3</DataGranuleSizeInBytes>"
XML_RECORD = "<G><DataGranule>%s<SizeMBDataGranule>0.1</SizeMBDataGranule></DataGranule></G>"
OLD_LISTS = CompareRules(
    ignore_xpaths=("DataGranule/SizeMBDataGranule",),
    ignore_keys=("DataGranule/ArchiveAndDistributionInformation/SizeInBytes",),
)


@pytest.mark.parametrize("rules", [CompareRules(), OLD_LISTS], ids=["default", "older lists"])
@pytest.mark.parametrize(
    ("record", "sizes", "other"),
    [(JSON_RECORD, JSON_SIZES, '"Format": "x", '), (XML_RECORD, XML_SIZE, "<Other>1</Other>")],
    ids=["UMM-G", "ECHO10"],
)
def test_size_that_records_have_gained_is_no_difference(tmp_path, rules, record, sizes, other):
    """Expected records that were accepted earlier lack it; other extra content counts."""
    assert differences(tmp_path, record % "", record % sizes, rules) == []
    assert differences(tmp_path, record % sizes, record % sizes, rules) == []
    assert len(differences(tmp_path, record % "", record % other, rules)) == 1
    assert differences(tmp_path, record % sizes, record % "", rules) != []
    counts = CompareRules(ignore_xpaths=(), ignore_keys=())
    assert differences(tmp_path, record % "", record % sizes, counts) != []
