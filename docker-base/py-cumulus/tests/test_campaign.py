"""The fault campaign, with a fixed seed; campaign.py runs longer ones."""

import campaign
import pytest
from campaigns import count


@pytest.mark.slow
def test_kill_at_random_moments_tears_nothing_and_loses_nothing(tmp_path, record_property):
    moments = count("kills")
    kills = campaign.run(tmp_path, moments, seed=20120906, show=print)
    record_property("campaign", f"{sum(kills.values()):,} kills")
    assert sum(kills.values()) == moments
    assert all(kills.values()), kills
