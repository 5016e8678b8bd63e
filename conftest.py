"""For all tests: the examples of the property tests, and a summary line of the campaigns."""

from campaigns import count
from hypothesis import settings

# The same examples every time.
settings.register_profile("campaign", max_examples=count("examples"), database=None, derandomize=True, deadline=None)
settings.load_profile("campaign")


def pytest_terminal_summary(terminalreporter):
    """Name what the campaigns tried; each of their tests records it as the property `campaign`."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    lines = [text for report in reports if getattr(report, "when", "") == "call"
             for name, text in report.user_properties if name == "campaign"]
    if lines:
        terminalreporter.write_line(f"campaigns: {', '.join(lines)}; {count('examples'):,} examples a property test")
