"""File name patterns match as their wildcards say, and in a short time."""

import re
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulus.process.patterns import compile_pattern, fill_pattern, fits, id_groups

PIECES = st.lists(st.sampled_from(["*", "a", "b", "ab", "aba", "."]), min_size=1, max_size=8)
NAMES = st.text("ab.\n", max_size=12)


def naive(template):
    return re.compile(re.escape(template).replace(r"\*", ".*").replace("X", ".+"), re.DOTALL)


@given(pieces=PIECES, name=NAMES)
def test_pattern_matches_what_its_wildcards_say(pieces, name):
    """Names that an expression with backtracking matches, and no others."""
    template = "".join(pieces)
    assert bool(compile_pattern(template).fullmatch(name)) == bool(naive(template).fullmatch(name))


@given(pieces=st.lists(st.sampled_from(["*", "{id}", "a", "ba"]), max_size=6), name=NAMES)
def test_placeholder_stands_for_at_least_one_character(pieces, name):
    """Beside a wildcard, too."""
    template = "".join(pieces)
    expected = naive(template.replace("{id}", "X")).fullmatch(name)
    assert bool(compile_pattern(template).fullmatch(name)) == bool(expected)


@given(value=st.text("ab*.{}", min_size=1, max_size=4), name=st.text("ab*.{}", max_size=9))
def test_known_placeholder_is_its_own_text(value, name):
    """Whatever characters it has."""
    texts = fill_pattern("a*{id}.b", {"id": value})
    assert fits(name, texts) == (name.startswith("a") and name[1:].endswith(f"{value}.b"))


@given(pieces=st.lists(st.sampled_from(["*", "{id}", "a", "ba", "."]), max_size=8), name=NAMES)
def test_filled_pattern_fits_what_its_wildcards_say(pieces, name):
    """The same names as an expression with backtracking, however many wildcards there are."""
    template = "".join(pieces)
    expected = naive(template.replace("{id}", "ab")).fullmatch(name)
    assert fits(name, fill_pattern(template, {"id": "ab"})) == bool(expected)


@given(pieces=PIECES, name=NAMES)
def test_id_of_a_rendered_expression_is_the_same(pieces, name):
    """As it is rendered from the input pattern; its group is what the owner's expression gives."""
    stem = "".join(pieces).replace(".", r"\.").replace("*", ".*")
    pattern = re.compile(rf"^(?P<id>{stem})\.b$", re.DOTALL)
    match = pattern.fullmatch(name)
    expected = match.groupdict() if match else {}
    assert id_groups(SimpleNamespace(id_pattern=pattern), name) == expected


@pytest.mark.parametrize(
    ("text", "name", "groups"),
    [
        (r"^(?P<id>A_(?P<date>\d{8})_.*)\.h5$", "A_20120906_x.h5", {"date": "20120906"}),
        (r"(?P<id>.*?)-.*\.h5", "A-B-C.h5", {"id": "A"}),
    ],
    ids=["further group", "lazy"],
)
def test_expression_of_the_owner_is_taken_as_it_is(text, name, groups):
    """Only what is rendered is rewritten."""
    actual = id_groups(SimpleNamespace(id_pattern=re.compile(text)), name)
    assert actual.items() >= groups.items()


@pytest.mark.parametrize("text", ["a" * 255, "ab" * 127, "abcde" * 51, "a" * 250 + ".h5"])
def test_many_wildcards_and_a_long_name_take_no_time(text):
    """Five of them took 11 s."""
    began = time.process_time()
    for template in ("*a*a*a*a*a.x", "a*b*c*d*e*.x", "*a*a*a*a*a*a*a*a*{id}.x"):
        assert not compile_pattern(template).fullmatch(text)
    pattern = re.compile(r"^(?P<id>.*a.*a.*a.*a.*a.*)\.x$", re.DOTALL)
    assert id_groups(SimpleNamespace(id_pattern=pattern), text) == {}
    assert time.process_time() - began < 0.5
