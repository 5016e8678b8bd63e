"""Take secrets out of text before it is logged.

What is secret is known in three ways: the values of environment variables whose names say so
(``SPLUNK_HEC_TOKEN``, ``AWS_SECRET_ACCESS_KEY``, ``..._PASSWORD``), the forms that credentials take
in addresses and headers, and the names of fields.
"""

import json
import os
import re
from urllib.parse import quote, quote_plus

__all__ = ["HIDDEN", "is_secret_name", "redact"]

HIDDEN = "***"

_WORDS = (
    "password|passwd|passphrase|secret|token|credentials?|signature|authorization|"
    "(?:api|access|secret|private|signing)[_-]?key"
)
_NAME = re.compile(rf"(?:^|[_-])(?:{_WORDS}|pass)$", re.IGNORECASE)
# Shorter values, such as "1" or "on", are no secrets, and hiding them would spoil every line.
_SHORTEST = 4
_OWN = ("SPLUNK_HEC_TOKEN", "SPLUNK_PASSWORD")  # hidden at any length

_VALUE = r"""(?:\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s&;,"'\\]+)"""
_PATTERNS = [
    # scheme://user:password@host
    r"(\b[a-z][a-z0-9+.-]*://)[^/\s\"'<>]*(?=@)",
    # Authorization: Basic ..., and a bare Bearer ...
    r"(\bauthorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:[a-z]+\s+)?)[^\s\"'\\]+",
    r"(\bbearer\s+)[\w.~+/=-]{8,}",
    # X-Amz-Signature=..., "token": "...", password: ...
    rf"((?:\b|_)(?:{_WORDS})(?:\\?[\"']\s*:|\s*=)\s*){_VALUE}",
    rf"(\bpass(?:word|wd|phrase)\s*:\s*){_VALUE}",
    r"()-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*-----|\Z)",
]
_PATTERNS = [re.compile(one, re.IGNORECASE) for one in _PATTERNS]
# Almost no line holds what any of the patterns needs: one look instead of five.
_HINT = re.compile(rf"@|bearer|private key|{_WORDS}", re.IGNORECASE)


def redact(text):
    """Return a text with every secret that can be recognised replaced by ``***``.

    Examples
    --------
    >>> redact("cannot read https://me:hunter2@example.org/x?token=abc")
    'cannot read https://***@example.org/x?token=***'
    """
    for value in _secret_values():
        text = text.replace(value, HIDDEN)
    if _HINT.search(text):
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def is_secret_name(name):
    """Return whether a field or environment variable of this name holds a secret."""
    return bool(_NAME.search(name))


def _secret_values():
    """The secrets of the environment, in each spelling they may take, longest first."""
    spellings = set()
    for name, value in os.environ.items():
        if not is_secret_name(name):
            continue
        for one in (value, value.strip()):
            if len(one) >= (1 if name in _OWN else _SHORTEST):
                plain = one.encode("utf-8", "surrogateescape")
                spellings |= {one, repr(one)[1:-1], json.dumps(one)[1:-1]}
                spellings |= {quote(plain, safe=""), quote(plain), quote_plus(plain)}
    return sorted(spellings, key=len, reverse=True)
