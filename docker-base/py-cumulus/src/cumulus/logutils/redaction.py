"""Take secrets out of text before it is logged.

A secret is recognised in four ways: as the value of an environment variable with a telling name
(``SPLUNK_HEC_TOKEN``, ``AWS_SECRET_ACCESS_KEY``, ``..._PASSWORD``), by the forms of credentials in
addresses, headers and commands, by the name of its field, and by the form that its issuer gives
to tokens (``ghp_...``).
"""

import functools
import json
import os
import re
from urllib.parse import quote, quote_plus

__all__ = ["HIDDEN", "is_secret_name", "redact", "secret_values"]

HIDDEN = "***"

_WORDS = (
    "password|passwd|passphrase|passcode|secret|token|credentials?|signature|authorization|cookie|"
    "(?:api|access|secret|private|signing|storage|account|encryption)[_-]?key"
)
# The ends of telling names: sessionToken, PGPASSWORD, MYSQL_PWD (and not PWD alone).
_ENDING = rf"(?:{_WORDS}|[_-]pwd)"
_NAME = rf"(?:{_ENDING}|(?:^|[_-])(?:pass|pat|auth))$"  # in text a pass is one of a satellite
# What variables such as SMTP_AUTH may say instead of a secret; hiding it would spoil every line.
_SETTINGS = (
    "true|false|none|null|yes|no|on|off|basic|digest|bearer|login|plain|oauth2?|ntlm|kerberos|"
    "enabled|disabled|required|optional|default|anonymous"
)
# Shorter values, such as "1" or "on", are no secrets, and hiding them would spoil every line.
_SHORTEST = 4
_OWN = ("SPLUNK_HEC_TOKEN", "SPLUNK_PASSWORD")  # hidden at any length

_QUOTED = r"""\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
# The brace of a table is no value: the names within the table decide.
_VALUE = rf"""(?!{{\s*\\?["'])(?:b?(?:{_QUOTED})|[^\s&;,"'\\]+)"""
_PROSE = "(?!(?:is|are|was|and|or|to|in|for|with|as|must|needs?|requires?|has)\\b)"
_NO_SETTING = rf"(?![\"']?(?:{_SETTINGS}|\d)\b)"
_PATTERNS = [
    # scheme://user:password@host, also with a slash in the password, which a port has after it
    r"(://)[^/\s\"'<>]*(?=@)",
    r"(://)[^/\s:@\"'<>]*:(?!\d+[/?#])[^\s\"'<>]{1,200}(?=@)",
    # Authorization: Basic ..., a bare Bearer ..., Cookie: name=value; name=value
    r"(\bauthorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:[a-z]+\s+)?)[^\s\"'\\]+",
    r"(\bbearer\s+)[\w.~+/=-]{8,}",
    r"(\bcookie:\s*)(?=[^\s=;\"']+=)[^\r\n\"']+",
    # X-Amz-Signature=..., "sessionToken": "...", and of addresses of Azure
    rf"({_ENDING}(?:\\?[\"']\s*:|\s*=)(?:\s*\[)?\s*){_VALUE}",
    r"([?&]sig=)[^\s&\"'\\]+",
    # A name of several words, as X-Api-Key: ...; "unexpected token: '<'" holds no secret, so that
    # after one word the value has to look like one.
    rf"((?<=\w)[_-]?(?!signature){_ENDING}\s*:\s*){_VALUE}",
    rf"(\bpass(?:word|wd|phrase|code)\s*:\s*){_VALUE}",
    r"(\b(?:token|secret|credentials?)\s*:\s*)(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}",
    # --password ..., also in a list of arguments
    rf"(--[\w-]{{0,40}}?{_ENDING}[\"']?,?\s+){_PROSE}(?!-){_VALUE}",
    # GITHUB_PAT=..., "proxy_auth": "...", --auth ...
    rf"((?<=\w)[_-](?:pat|auth)\\?[\"']?\s*[=:]\s*){_NO_SETTING}{_VALUE}",
    rf"(--(?:[\w-]{{0,40}}-)?(?:pat|auth)[\"']?,?[\s=]+){_PROSE}{_NO_SETTING}(?!-){_VALUE}",
    # Uid=me;Pwd=... of databases; PWD=/home/me is the working directory
    rf"((?<![\w-])(?!(?-i:PWD)=[/~.])pwd\\?[\"']?\s*[=:]\s*){_VALUE}",
    # curl -u me:..., --proxy-user me:..., also in a list of arguments
    r"(\bcurl\b(?:[^\n]|\\\n){0,400}?[\s\"'](?:-[a-z]{0,8}u|--(?:proxy-)?user)[\s\"',=]{0,6})"
    r"[^\s:\"',]{0,80}:[^\s\"']+",
    # machine urs.earthdata.nasa.gov login me password ... of .netrc; sshpass -p ...
    r"(\blogin\s+\S{1,200}\s+password\s+)\S+",
    r"(\bsshpass\s+-p\s*)[^\s]+",
    # {"auths": {"registry": {"auth": "..."}}} of Docker
    r"(\\?[\"']auth\\?[\"']\s*:\s*\\?[\"'])[\w+/=-]{8,}",
    # Tokens of GitHub, GitLab, Slack, Docker, Hugging Face, npm, PyPI, Google; JSON web tokens
    r"()\b(?:gh[opusr]_|github_pat_)\w{16,}",
    r"()\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{16,}",
    r"()\b(?:xox[a-z]-|xapp-)[\w-]{10,}",
    r"()\b(?:dckr_[op]at_[\w-]{16,}|hf_[a-z0-9]{30,})",
    r"()\b(?:npm_\w{36}|pypi-[\w-]{32,}|(?-i:AIza)[\w-]{35})",
    r"()\b(?-i:eyJ)[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?",
    # The id of an access key of AWS, and the secret that follows it
    r"()\b(?-i:AKIA|ASIA)(?-i:[A-Z0-9]{16})\b"
    r"(?:[^\n]{0,40}?(?<![\w/+])[\w/+]{40}(?![\w/+=]))?",
    r"()-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*-----|\Z)",
]
# Few lines hold what any of the patterns needs: this spares the others the search.
_HINTS = ("@", "bearer", "private key", "pass", "secret", "token", "credential", "signature",
          "auth", "cookie", "key", "pwd", "sig=", "_pat", "-pat", "curl", "ghp_", "gho_", "ghu_",
          "ghs_", "ghr_", "glpat-", "gldt-", "glrt-", "glcbt-",
          "glptt-", "glft-", "glsoat-", "xox", "xapp-", "npm_", "pypi-", "dckr_", "hf_",
          "aiza", "eyj", "akia",
          "asia")  # fmt: skip


@functools.cache
def _compiled(pattern):
    return re.compile(pattern, re.IGNORECASE)  # when first needed: --help should not wait for it


def redact(text, secrets=None):
    """Return a text with every secret that can be recognised replaced by ``***``.

    Parameters
    ----------
    text : str
    secrets : sequence of str, optional
        What :func:`secret_values` returned, for those who redact many texts at once.

    Examples
    --------
    >>> redact("cannot read https://me:hunter2@example.org/x?token=abc")
    'cannot read https://***@example.org/x?token=***'
    """
    for value in secret_values() if secrets is None else secrets:
        text = text.replace(value, HIDDEN)
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        for pattern in _PATTERNS:
            text = _compiled(pattern).sub(rf"\1{HIDDEN}", text)
    return text


@functools.lru_cache(maxsize=1000)
def is_secret_name(name):
    """Return whether a field or environment variable of this name holds a secret."""
    return bool(_compiled(_NAME).search(name))


def secret_values():
    """Return the secrets of the environment, in each spelling they may take, longest first."""
    return _spellings(*((name, os.environ[name]) for name in os.environ if is_secret_name(name)))


@functools.lru_cache(maxsize=4)
def _spellings(*variables):
    spellings = set()
    for name, value in variables:
        for text in (value, value.strip()):
            is_setting = bool(_compiled(f"(?:{_SETTINGS})").fullmatch(text))
            if len(text) >= (1 if name in _OWN else _SHORTEST) and not is_setting:
                plain = text.encode("utf-8", "surrogateescape")
                spellings |= {text, repr(text)[1:-1], json.dumps(text)[1:-1]}
                spellings |= {quote(plain, safe=""), quote(plain), quote_plus(plain)}
    return sorted(spellings, key=len, reverse=True)
