"""The one switch of the long campaigns."""

import campaigns
import pytest
from hypothesis import settings


@pytest.mark.parametrize("what", campaigns.COUNTS)
def test_long_campaign_tries_more(what):
    """CAMPAIGN=long raises every count."""
    assert campaigns.count(what, {"CAMPAIGN": "long"}) > campaigns.count(what, {})


def test_unknown_campaign_is_refused():
    """A misspelled value is no usual run in silence."""
    with pytest.raises(ValueError, match="CAMPAIGN is 'lnog'"):
        campaigns.count("kills", {"CAMPAIGN": "lnog"})


def test_property_tests_take_their_examples_from_the_switch():
    """Hypothesis' profile has the count of this run."""
    assert settings.default.max_examples == campaigns.count("examples")
