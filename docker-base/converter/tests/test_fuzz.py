"""Damaged granules: 2,000 variants, more in a long campaign; fuzz.py runs any number."""

import pytest
from campaigns import count
from converter.tests.fuzz import KINDS, campaign


@pytest.mark.slow
def test_damage_never_becomes_a_wrong_product(plain, record_property):
    """What a checksum protects comes out equal or not at all, and nothing is left over under a product's name."""
    tally = campaign(plain.program, count("damaged variants"), seed=7)
    record_property("campaign", f"{sum(tally.values()):,} damaged variants")
    print(*sorted(tally.items()), sep="\n")
    assert not [key for key in tally if key[1] in ("WRONG", "LEFT OVER", "left over after a crash")]
    assert tally["bits in a chunk", "refused (3)"] > 0.9 * sum(tally.values()) / len(KINDS)
    crashed = sum(times for (_, word), times in tally.items() if word in ("crash", "hang"))
    assert crashed <= sum(tally.values()) // 50  # inside libhdf5; 1 % measured, and a slow machine times out more
