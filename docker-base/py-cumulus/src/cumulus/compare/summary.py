"""The result of a comparison as text for people."""

__all__ = ["report"]

SHOWN = 10  # differences of a file in the report


def report(comparison):
    """Return a few lines for each file that differs, and a last line with the counts."""
    lines = []
    for result in comparison:
        if result.status == "equal":
            continue
        lines.append(f"{result.file!r}: {result.status}")
        if result.reason:
            lines.append(f"    {result.reason}")
        for difference in result.differences[:SHOWN]:
            lines += [f"    {line}" for line in difference.message.splitlines()]
        if (hidden := len(result.differences) - SHOWN + result.left_out) > 0:
            lines.append(f"    ... and {hidden} more")
    lines += [f"note: {sentence}" for sentence in comparison.unused_rules]
    summary = ", ".join(f"{count} {status}" for status, count in comparison.counts.items())
    lines.append(f"{len(comparison)} file{'s' * (len(comparison) != 1)} compared: {summary}")
    # Names and cells may hold bytes that are not UTF-8.
    return "\n".join(lines).encode("utf-8", "backslashreplace").decode()
