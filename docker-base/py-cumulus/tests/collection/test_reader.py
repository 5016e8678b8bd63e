"""collection.toml: what is read, and that every mistake is named with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import COLLECTION

from cumulus import CumulusError
from cumulus.collection import CompareRules, Limits, Tolerance, load
from cumulus.collection.model import MetadataRules
from cumulus.collection.reader import load_compare
from cumulus.collection.validators import find_line


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "collection.toml"
        path.write_text(text)
        return load(path)

    return read


def test_identity_and_defaults(read):
    collection = read(COLLECTION)
    assert (collection.short_name, collection.version, collection.provider) == (
        "hs3cpl",
        "1",
        "GHRC_DAAC",
    )
    assert collection.limits == Limits(seconds=60)
    assert collection.compare == CompareRules()
    assert collection.metadata == MetadataRules()
    assert collection.sample_uri == ""


def test_whole_of_compare(read):
    rules = read(
        COLLECTION
        + """
[compare]
rtol = 1e-6
atol = 0
ignore_attributes = ["a"]
ignore_xpaths = ["A/B"]
ignore_keys = ["C/D"]
[compare.variables.ATB_532]
atol = 1e-9
[compare.variables."/geo/q"]
rtol = 0.5
"""
    ).compare
    assert (rules.rtol, rules.atol, rules.ignore_attributes) == (1e-6, 0, ("a",))
    assert (rules.ignore_xpaths, rules.ignore_keys) == (("A/B",), ("C/D",))
    assert rules.variables == {"ATB_532": Tolerance(None, 1e-9), "geo/q": Tolerance(0.5, None)}


IGNORED = pytest.mark.parametrize("key", ["ignore_attributes", "ignore_xpaths", "ignore_keys"])


@IGNORED
def test_volatile_content_is_ignored_by_default(read, key):
    """Without a list, the library's own holds; a list replaces it, an empty one too."""
    default = getattr(CompareRules(), key)
    assert len(default) >= 3
    assert getattr(read(f"{COLLECTION}[compare]\n").compare, key) == default
    assert getattr(read(f'{COLLECTION}[compare]\n{key} = ["A"]\n').compare, key) == ("A",)
    assert getattr(read(f"{COLLECTION}[compare]\n{key} = []\n").compare, key) == ()


@IGNORED
def test_further_content_is_ignored_in_addition(read, key):
    """The key with also_ adds to the default, and to an explicit list."""
    default = getattr(CompareRules(), key)
    also = f'also_{key} = ["B"]\n'
    assert getattr(read(f"{COLLECTION}[compare]\n{also}").compare, key) == (*default, "B")
    both = f'{COLLECTION}[compare]\n{key} = ["A"]\n{also}'
    assert getattr(read(both).compare, key) == ("A", "B")


def test_mistake_in_what_is_also_ignored_is_named_with_its_line(read):
    with pytest.raises(CumulusError, match=r"line \d+: compare.also_ignore_xpaths must be a list"):
        read(f'{COLLECTION}[compare]\nalso_ignore_xpaths = ["A[["]\n')


def test_rules_may_be_in_a_file_of_their_own(tmp_path):
    """A file with nothing but [compare] gives rules and no collection."""
    path = tmp_path / "rules.toml"
    path.write_text("[compare]\nrtol = 0.5\n[compare.variables.q]\natol = 2\n")
    rules, collection = load_compare(path)
    assert (rules.rtol, rules.variables, collection) == (0.5, {"q": Tolerance(None, 2)}, None)
    path.write_text(COLLECTION + "[compare]\nrtol = 0.5\n")
    rules, collection = load_compare(path)
    assert rules == collection.compare and collection.short_name == "hs3cpl"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no table"),
        ("compare = 1\n", r"compare must be a table, written \[compare\]"),
        ("[compare]\nrtoll = 1\n", "line 2: unknown key 'rtoll'"),
        ("[compare]\n[limits]\n", r"\[collection\] needs the key 'short_name'"),
    ],
)
def test_mistake_in_a_file_of_rules_is_named(tmp_path, text, message):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(CumulusError, match=message):
        load_compare(path)


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [("SHORT_NAME", "short_name"), ("VERSION", "version"), ("PROVIDER", "provider")],
)
def test_environment_overrides_identity(read, monkeypatch, variable, attribute):
    monkeypatch.setenv(variable, "OTHER")
    assert getattr(read(COLLECTION), attribute) == "OTHER"


def test_mark_that_some_editors_write_first_is_passed_over(read):
    assert read("\ufeff" + COLLECTION).short_name == "hs3cpl"


def test_empty_environment_variable_overrides_nothing(read, monkeypatch):
    monkeypatch.setenv("SHORT_NAME", "")
    assert read(COLLECTION).short_name == "hs3cpl"


MISTAKES = {
    "unknown table": ("[limits]", "[limit]", "'limit'", "limits"),
    "unknown key": ("seconds = 60", "second = 60", "'second'", "seconds, memory_mb, output_mb"),
    "number as text": ("seconds = 60", 'seconds = "60"', "limits.seconds", "number"),
    "true is no number": ("seconds = 60", "seconds = true", "limits.seconds", "number"),
    "no time at all": ("seconds = 60", "seconds = 0", "limits.seconds", "greater than 0"),
    "text as number": ('version = "1"', "version = 1", "collection.version", "text"),
    "empty text": ('short_name = "hs3cpl"', 'short_name = " "', "short_name", "not empty"),
    "no group id": ("(?P<id>CPL_.*)", "(CPL_.*)", "granule.id", "(?P<id>"),
    "broken expression": ("(?P<id>CPL_.*)", "(?P<id>CPL_.*", "granule.id", "regular expression"),
    "unknown placeholder": ("{id}.cmr.json", "{ids}.cmr", "products.cmr", "made of {id}; {ids}"),
    "positional placeholder": ("{id}.cmr.json", "{}.cmr.json", "products.cmr", "{id}"),
    "attribute of a placeholder": ("{id}.cmr.json", "{id.x}.cmr", "products.cmr", "{id}"),
    "no variable": ("[granule]", '[granule]\nenvironment = ["A=1"]', "environment", "'A=1' is"),
    "relative directory": ("[granule]", '[granule]\nlinks = ["data"]', "links", "'data' is none"),
    "open brace": ("{id}.cmr.json", "{id.cmr.json", "products.cmr", "placeholder"),
    "slash in a product": ("{id}.cmr.json", "x/{id}.json", "products.cmr", "slash"),
    "hidden product": ("{id}.cmr.json", ".{id}.json", "products.cmr", "dot"),
    "same product twice": ("{id}.cmr.json", "{id}.nc", "products", "different file name"),
    "placeholder in primary": ('"CPL_*.hdf5"', '"{id}.hdf5"', "inputs.primary", "without pl"),
    "unknown check": ("seconds = 60", "[check]\nvars = []", "'vars'", "allowed: variables"),
    "no list": ("seconds = 60", '[check]\nvariables = "a"', "check.variables", "a list"),
    "odd role": ('primary = "CPL_*.hdf5"', 'primary = "a"\n"b c" = "d"', "inputs.b c", "letters"),
}


@pytest.mark.parametrize(("old", "new", "key", "allowed"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_named_with_line_key_and_what_is_allowed(read, old, new, key, allowed):
    assert old in COLLECTION
    text = COLLECTION.replace(old, new)
    with pytest.raises(CumulusError) as error:
        read(text)
    message = str(error.value)
    assert key in message
    assert allowed in message
    changed = next(i for i, line in enumerate(text.splitlines(), 1) if new.splitlines()[-1] in line)
    table_line = text[: text.index(new)].rindex("[") if key == "products" else None
    expected = text[:table_line].count("\n") + 1 if table_line is not None else changed
    assert f"line {expected}:" in message


@pytest.mark.parametrize(
    ("key", "table"),
    [("short_name", "collection"), ("version", "collection"), ("id", "granule"),
     ("primary", "inputs"), ("data", "products")],
)  # fmt: skip
def test_missing_key_is_named(read, key, table):
    text = "\n".join(line for line in COLLECTION.splitlines() if not line.startswith(f"{key} ="))
    with pytest.raises(CumulusError, match=rf"\[{table}\] needs the key '{key}'"):
        read(text)


def test_typing_mistake_gets_a_suggestion(read):
    with pytest.raises(CumulusError, match="did you mean 'short_name'"):
        read(COLLECTION.replace("short_name", "shortname"))


def test_first_product_must_be_data(read):
    text = COLLECTION.replace('data = "{id}.nc"', "").replace(
        'cmr = "{id}.cmr.json"', 'cmr = "{id}.cmr.json"\ndata = "{id}.nc"'
    )
    with pytest.raises(CumulusError, match=r"products.data must be the first"):
        read(text)


@pytest.mark.parametrize(
    "url", ["https://x/{file}/{id}", "https://x/{short_name}/{version}/{provider}/{data}"]
)
def test_access_url_knows_ids_products_and_identity(read, url):
    assert read(COLLECTION + f'[metadata]\naccess_url = "{url}"\n').metadata.access_url == url


def test_access_url_with_an_unknown_placeholder_is_refused(read):
    with pytest.raises(CumulusError, match=r"metadata.access_url must be .*\{bucket\}"):
        read(COLLECTION + '[metadata]\naccess_url = "https://{bucket}/{id}"\n')


def test_unknown_time_source_is_refused(read):
    with pytest.raises(
        CumulusError, match="function, filename, sidecar, product, attributes, fixed, not 'guess'"
    ):
        read(COLLECTION + '[metadata]\ntime = ["guess"]\n')


@pytest.mark.parametrize(
    "rule",
    [
        "rtol = inf",
        "atol = 1e400",
        'ignore_xpaths = [""]',
        'ignore_xpaths = ["."]',
        'ignore_xpaths = ["a", "a/.."]',
        'ignore_xpaths = ["{x"]',
        "variables.ATB_532.rtol = inf",
    ],
)
def test_rule_by_which_all_would_be_equal_or_nothing_is_meant_is_refused(read, rule):
    with pytest.raises(CumulusError, match=rule.split(" ")[0].split(".")[-1]):
        read(f"{COLLECTION}[compare]\n{rule}\n")
    paths = ["./A", ".//B", "A/{http://x/y}B", "A[@b='..']/*"]
    assert read(f"{COLLECTION}[compare]\nignore_xpaths = {paths}\n").compare.ignore_xpaths


def test_broken_xpath_is_refused(read):
    with pytest.raises(CumulusError, match="element paths"):
        read(COLLECTION + '[compare]\nignore_xpaths = ["A[["]\n')


def test_broken_toml_is_named_with_its_line(read):
    with pytest.raises(CumulusError, match=r"not valid TOML: .*line 3"):
        read("[collection]\nshort_name = 'x'\nversion = \n")


def test_absent_file_is_one_sentence(tmp_path):
    with pytest.raises(CumulusError, match=r"cannot read .*collection.toml: No such file"):
        load(tmp_path / "collection.toml")


def test_file_that_is_not_utf8_is_one_sentence(tmp_path):
    path = tmp_path / "collection.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CumulusError, match="not valid TOML"):
        load(path)


@given(st.integers(0, 5), st.integers(0, 5))
def test_line_is_found_among_comments_and_many_line_values(comments, entries):
    before = "# [t]\n" * comments + "[s]\nk = [\n" + '"k = 1",\n' * entries + "]\n"
    text = before + "[t]\n\n# k = 0\n'k' = 1\n"
    assert find_line(text, ("t", "k")) == len(text.splitlines())
