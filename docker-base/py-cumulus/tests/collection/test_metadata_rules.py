"""[collection] and [metadata] of collection.toml: what may stand there, and mistakes with lines."""

import pytest
from samples import COLLECTION

from cumulus import CumulusError
from cumulus.collection import load
from cumulus.collection.model import SOURCES, AccessConstraints
from cumulus.extent import Box, Extent


@pytest.fixture
def read(tmp_path):
    def read(metadata="", collection=COLLECTION):
        path = tmp_path / "collection.toml"
        path.write_text(f"{collection}\n[metadata]\n{metadata}\n")
        return load(path)

    return read


def test_every_source_is_asked_by_default(read):
    rules = read().metadata
    assert rules.time == rules.place == SOURCES
    assert (rules.polygon, rules.sidecar, rules.fixed) == (False, "", Extent())


def test_whole_of_metadata(read):
    toml = COLLECTION.replace("[products]", 'met = "{id}.met"\n\n[products]')
    rules = read(
        'time = ["sidecar", "fixed"]\nplace = ["fixed"]\nsidecar = "met"\npolygon = true\n'
        "[metadata.fixed]\nbegin = 2012-09-06\nend = 2012-09-07T12:00:00Z\n"
        "west = 170\nsouth = -1\neast = 190\nnorth = 1.5",
        toml,
    ).metadata
    assert (rules.time, rules.place) == (("sidecar", "fixed"), ("fixed",))
    assert (rules.sidecar, rules.polygon) == ("met", True)
    assert rules.fixed.box == Box(170, -1, -170, 1.5)
    assert rules.fixed.begin.isoformat() == "2012-09-06T00:00:00+00:00"
    assert rules.fixed.end.isoformat() == "2012-09-07T12:00:00+00:00"


MISTAKES = {
    "no source": ("time = []", "metadata.time", "each once"),
    "source twice": ('place = ["fixed", "fixed"]', "metadata.place", "each once"),
    "unknown source": ('place = ["guess"]', "metadata.place", "not 'guess'"),
    "text for a list": ('time = "product"', "metadata.time", "a list of texts"),
    "text for a truth": ('polygon = "yes"', "metadata.polygon", "true or false"),
    "address without a scheme": ('access_url = "data/{data}"', "metadata.access_url", "https://"),
    "address with a space": ('access_url = "https://a b/{id}"', "access_url", "without spaces"),
    "number for an address": ("access_url = 0", "metadata.access_url", "a text in quotes"),
    "number for a truth": ("polygon = 1", "metadata.polygon", "true or false"),
    "unknown role": ('sidecar = "met"', "metadata.sidecar", "one of the inputs: primary"),
    "sidecar never asked": (
        'sidecar = "primary"; time = ["product"]; place = ["product"]'.replace("; ", "\n"),
        "metadata.sidecar",
        "neither metadata.time nor metadata.place",
    ),
    "latitude alone": (
        'latitude_variable = "lat"',
        "latitude_variable",
        "given together with longitude_variable",
    ),
    "number for a variable": ("time_variable = 1", "time_variable", "a text in quotes"),
    "unknown requirement": ('required = ["time", "size"]', "metadata.required", "not 'size'"),
    "granule id of a shape": ('granule_id = "{shape}"', "granule_id", "{shape} is not known here"),
    "granule id without id": ('granule_id = "x"', "metadata.granule_id", "made of {id}"),
    "format of no letters": ('format = " "', "metadata.format", "not empty"),
    "constraint without a value": (
        'access_constraints = { description = "x" }',
        "access_constraints",
        "value = 0",
    ),
    "constraint of words": ('access_constraints = { value = "x" }', "access", "is a number"),
    "constraint of lines": (
        r'access_constraints = { value = 0, description = "a\nb" }',
        "access",
        "one line",
    ),
    "unknown key": ("polygons = true", "'polygons'", "did you mean 'polygon'"),
    "fixed is no table": ("fixed = 1", "metadata.fixed", "[metadata.fixed]"),
    "fixed of wrong type": ('fixed.west = "1"', "metadata.fixed.west", "number of degrees"),
    "fixed out of range": ("fixed.west = 400", "metadata.fixed.west", "number of degrees"),
    "fixed time in quotes": (
        'fixed.begin = "2012-09-06"',
        "metadata.fixed.begin",
        "without quotes",
    ),
    "fixed clock time": ("fixed.begin = 12:00:00", "metadata.fixed.begin", "a date"),
    "unknown fixed key": ("fixed.start = 2012-09-06", "'start'", "begin, end, west"),
    "half a place": ("fixed.west = 1", "metadata.fixed", "possible: west without south, east"),
    "inverted": ("fixed = {begin = 2013-01-01, end = 2012-01-01}", "metadata.fixed", "before"),
    "upside down": ("fixed = {west=0, east=1, south=2, north=1}", "metadata.fixed", "-90 to 90"),
}


@pytest.mark.parametrize(("line", "key", "allowed"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_named_with_its_line(read, line, key, allowed):
    with pytest.raises(CumulusError) as error:
        read("# a comment\n" + line)
    number = COLLECTION.count("\n") + 4
    assert f"collection.toml, line {number}: " in str(error.value)
    assert key in str(error.value)
    assert allowed in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("short_name", "x" * 86, "at most 85 characters"),
        ("short_name", " x", "no space at either end"),
        ("short_name", "a\\nb", "one line"),
        ("version", "1" * 81, "at most 80 characters"),
        ("provider", "ghrc", "capital letters"),
    ],
)
def test_identity_that_cmr_cannot_hold_is_named_with_its_line(read, key, value, allowed):
    lines = COLLECTION.splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith(f"{key} ="))
    lines[number] = f'{key} = "{value}"'
    with pytest.raises(
        CumulusError, match=rf"line {number + 1}: collection.{key} must be .*{allowed}"
    ):
        read(collection="\n".join(lines))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SHORT_NAME", "x" * 86), ("VERSION", "1\n"), ("PROVIDER", "ghrc daac")],
)
def test_environment_keeps_the_same_rules(read, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(CumulusError, match=f"environment variable {variable} must be"):
        read()


def test_provider_may_be_left_out(read):
    text = COLLECTION.replace('provider = "GHRC_DAAC"\n', "")
    assert read(collection=text).provider == ""
    assert read(collection=COLLECTION.replace("GHRC_DAAC", "")).provider == ""


def test_new_keys_are_absent_by_default(read):
    """A repository of an older template keeps its records."""
    rules, collection = read().metadata, read()
    assert (rules.required, rules.granule_id, rules.format) == ((), "", "")
    assert (rules.access_constraints, collection.spatial) == (None, "")


def test_keys_of_what_cmr_reads(read):
    rules = read(
        'required = ["time"]\ngranule_id = "{id}"\nformat = "ICARTT"\n'
        'access_constraints = { value = 0, description = "public" }'
    ).metadata
    assert (rules.required, rules.granule_id, rules.format) == (("time",), "{id}", "ICARTT")
    assert rules.access_constraints == AccessConstraints(0, "public")


CMR = '[products]\ndata = "{id}.nc"\ncmr = '


@pytest.mark.parametrize(
    ("granule_id", "cmr"),
    [
        ("{id}", "{id}.cmr.json"),
        ("{id}", "{id}.nc.cmr.json"),
        ("{data}", "{id}.nc.cmr.json"),
        ("{id}.nc", "{id}.nc.cmr.json"),
    ],
)
def test_record_that_cumulus_can_match_is_accepted(read, granule_id, cmr):
    """Cumulus takes the granule id out of the name of the UMM-G record."""
    toml = COLLECTION.partition("[products]")[0] + f'{CMR}"{cmr}"\n'
    assert read(f'granule_id = "{granule_id}"', toml).metadata.granule_id == granule_id


@pytest.mark.parametrize(
    ("granule_id", "full", "cmr"),
    [
        ("{data}", "{id}.nc", "{id}.cmr.json"),
        ("{id}_v2", "{id}_v2", "{id}.cmr.json"),
        ("{id}", "{id}", "{id}.json"),
    ],
)
def test_record_that_cumulus_could_not_match_is_refused_with_both_names(
    read, granule_id, full, cmr
):
    """The message has the line of the record, both names and a name that would do."""
    toml = COLLECTION.partition("[products]")[0] + f'{CMR}"{cmr}"\n'
    line = toml.splitlines().index(f'cmr = "{cmr}"') + 1
    with pytest.raises(CumulusError) as error:
        read(f'granule_id = "{granule_id}"', toml)
    for part in (f"line {line}:", repr(cmr), repr(full), f'"{full}.cmr.json"'):
        assert part in str(error.value)
    assert read("", toml).products["cmr"] == cmr  # a repository without the key


@pytest.mark.parametrize(
    ("spatial", "line", "message"),
    [
        ("none", 'required = ["place"]', 'metadata.required must be without "place"'),
        ("none", "polygon = true", "metadata.polygon must be false"),
        ("cartesian", "polygon = true", "great circles, which only geodetic"),
        ("orbit", "", '"geodetic" or "cartesian" or "none"'),
    ],
)
def test_geometry_that_the_collection_does_not_have_is_refused(read, spatial, line, message):
    toml = COLLECTION.replace("[collection]", f'[collection]\nspatial = "{spatial}"')
    with pytest.raises(CumulusError, match=message):
        read(line, toml)
