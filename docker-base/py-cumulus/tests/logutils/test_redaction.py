"""Secrets never appear in logs: neither by value nor in an address, a field or an exception."""

import json
import logging
import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cumulus.logutils import get_logger, log_event, make_log_string, print_traceback
from cumulus.logutils.redaction import _SETTINGS, is_secret_name, redact

SECRET = 'S3cr"t\\/ &%'


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv("SPLUNK_PASSWORD", SECRET)


@pytest.mark.parametrize(
    "name",
    ["SPLUNK_HEC_TOKEN", "SPLUNK_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
     "EARTHDATA_PASSWORD", "GITHUB_TOKEN", "DB_PASS", "password", "api_key", "X-Amz-Signature",
     "PGPASSWORD", "DBPASSWORD", "GITHUBTOKEN", "MYSECRET", "MYSQL_PWD", "AZURE_STORAGE_KEY",
     "secretAccessKey", "sessionToken", "Cookie", "GITHUB_PAT", "PROXY_AUTH", "RSA_PASSCODE",
     "PASSCODE", "NPM_CONFIG__AUTH"],
)  # fmt: skip
def test_name_of_a_secret_is_known(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "TOKENIZERS_PARALLELISM", "PWD", "PATH",
     "granule_id", "message", "passes", "OLDPWD", "compass", "BYPASS", "monkey", "sort_key",
     "secretary", "COMPAT", "SPAT", "AUTHOR", "OAUTH_URL", "PATH_COMPAT"],
)  # fmt: skip
def test_other_name_is_not_taken_for_one(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://me:pa@ss@host/x", "pa@ss"),
        ("git clone https://ghp_abc123@github.com/x", "ghp_abc123"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=deadbeef&x=1", "deadbeef"),
        ("https://b/k?X-Amz-Security-Token=FwoG%2B&X-Amz-Credential=AKIA%2Fus", "FwoG"),
        ("https://b/k?X-Amz-Credential=AKIA%2Fus", "AKIA"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("{'Authorization': 'Splunk 1234-5678'}", "1234-5678"),
        ("sent Bearer eyJhbGciOi.J9.x", "eyJhbGciOi"),
        ('{"password": "two words"}', "two words"),
        ("{'api_key': 'k-1'}", "k-1"),
        ("login failed, password: hunter2", "hunter2"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtn make", "wJalrXUtn"),
        ('{\\"token\\": \\"abc def\\"}', "abc def"),
        ('creds: {"secretAccessKey": "wJalr/K", "sessionToken": "x"}', "wJalr/K"),
        ('creds: {"secretAccessKey": "x", "sessionToken": "FwoG+1"}', "FwoG+1"),
        ('{"credentials": {"sessionToken": "FwoG+1"}}', "FwoG+1"),
        ('{\\"secretAccessKey\\": \\"wJalr/K\\"}', "wJalr/K"),
        ("{'password': b'bytes'}", "bytes"),
        ("{'token': ['first']}", "first"),
        ("X-Api-Key: k-1", "k-1"),
        ("sessionToken: FwoG", "FwoG"),
        ("token: ghp0123456789", "ghp0123456789"),
        ("curl --password x1 --verbose", "x1"),
        ("Command '['curl', '--api-key', 'k 1']' failed", "k 1"),
        ("https://b/c?se=2026&sig=a%2Bb&sp=r", "a%2Bb"),
        ("Cookie: session=abc; id=def", "def"),
        ("Set-Cookie: session=abc; Secure", "abc"),
        ("https://me:pa/ss@host", "pa/ss"),
        ("PGPASSWORD=hunter2 psql", "hunter2"),
        ("MYSQL_PWD=hunter2 mysql", "hunter2"),
        ("GITHUB_PAT=11ABCD make", "11ABCD"),
        ('{"proxy_auth": "me:word"}', "me:word"),
        ("tool --auth s3cr3t run", "s3cr3t"),
        ("tool --git-pat=s3cr3t run", "s3cr3t"),
        ("RSA_PASSCODE=123456x", "123456x"),
        ("passcode: 90210x", "90210x"),
        ("Server=db;Uid=me;Pwd=hunter2;Port=1", "hunter2"),
        ("Driver={x};PWD=hunter2", "hunter2"),
        ("remote: ghp_0123456789abcdefghijABCDEFGHIJ012345 is expired", "ghp_0123456789"),
        ("gho_0123456789abcdefghijABCDEFGHIJ012345", "0123456789"),
        ("use github_pat_11ABCDE_0123456789abcdefghij", "11ABCDE"),
        ("glpat-0123456789_abcdefghi is revoked", "0123456789"),
        ("slack xoxb-123456789012-abcdef", "123456789012"),
        ("credentials AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("ASIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
        ("AKIAIOSFODNN7EXAMPLE / wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
        ("AKIAIOSFODNN7EXAMPLE with wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP", "eyJzdWIiOiIxIn0"),
        ("curl -u me:hunter2 https://host", "hunter2"),
        ("curl -sSfu me:hunter2 https://host", "hunter2"),
        ("curl -ume:hunter2 https://host", "hunter2"),
        ("curl https://host --user 'me:hunter2'", "hunter2"),
        ("Command '['curl', '-u', 'me:hunter2']' failed", "hunter2"),
        ("curl --proxy-user=me:hunter2 https://host", "hunter2"),
        ("curl -s \\\n -u me:hunter2 https://host", "hunter2"),
        ("machine urs.earthdata.nasa.gov login me password hunter2", "hunter2"),
        ("machine host\n  login me\n  password hunter2", "hunter2"),
        ("sshpass -p hunter2 ssh host", "hunter2"),
        ('{"auths": {"ghcr.io": {"auth": "bWU6aHVudGVyMg=="}}}', "bWU6aHVudGVyMg"),
        ("docker login: dckr_pat_0123456789-abcdefghij", "0123456789"),
        ("hf_abcdefghijABCDEFGHIJ0123456789abcd", "0123456789"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_credentials_are_hidden_by_their_form(text, hidden):
    assert hidden in text
    assert hidden not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text",
    ["granule 1/2 started", "cannot read 's3://bucket/key@1': no such key", "wrong signature: b'x'",
     "unexpected token: '<'", "a@b.c wrote it", "3 secrets, 2 passwords", "Bearer of news",
     "keys: 17", "monkey: 3", "missing key: time", "PWD=/home/x", "compass: 12", "tokens: 12345678",
     "the token is wrong", "a secret: none", "https://host:8080/a/b@2", "s3://bucket/a:b@2",
     "argument --token: expected one argument", "--token is required", "sigma=3", "cookie: none",
     "passes: 12", "first_pass=2", "night_pass: 3", "file_signature: 89HDF",
     '{"credentials": {"user": "me"}}', "use_auth=false", "smtp_auth: none", "--auth basic",
     "a path, a pattern", "PWD=/home/me/pwd", "AKIA is an airport", "eyJ", "glider-flights",
     "the login of a password file", '{"auth": "basic"}', "hf_radar_currents.nc",
     "curl -s https://host:8080/x", "keyJabcdef.granule.nc", "HS3_ghp_.nc", "gloss-and-more"],
)  # fmt: skip
def test_other_text_stays_as_it_is(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    "piece",
    ["--a", "a.", "https://a:", "token= ", "key: ", "pwd", "cookie:", "curl -u", "curl ",
     "eyJaaaaa.", "_pat", "--pat-", "AKIAIOSFODNN7EXAMPLE ", "gh", "xoxb-"],
)  # fmt: skip
def test_long_text_does_not_hold_up_the_log(piece):
    text = piece * 5000 + " token key @ cookie"
    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 2


def test_value_of_the_environment_is_hidden_in_every_spelling(secret):
    quoted = ("S3cr%22t%5C%2F%20%26%25", "S3cr%22t%5C%2F+%26%25")
    for spelling in (SECRET, repr([SECRET])[2:-2], json.dumps(SECRET)[1:-1], *quoted):
        assert redact(f"<{spelling}>") == "<***>"


@pytest.mark.parametrize("setting", ["true", "basic", "none", "required"])
def test_setting_of_an_authentication_is_no_secret(monkeypatch, setting):
    """SMTP_AUTH=true must not hide every "true" of the log."""
    monkeypatch.setenv("SMTP_AUTH", setting)
    assert redact(f"it is {setting}") == f"it is {setting}"


def test_short_value_of_another_program_hides_nothing(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "on")
    assert redact("one ton") == "one ton"


@given(st.text(st.characters(exclude_characters="\0*", exclude_categories=["Cs"]), min_size=4))
def test_any_value_of_a_secret_variable_is_hidden(value):
    assume(value.strip() and value not in "before  after")
    setting = re.fullmatch(_SETTINGS, value.strip(), re.IGNORECASE)
    assume(not setting)  # it says how to authenticate, and is no secret
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MY_SECRET", value)
        assert value not in redact(f"before {value} after")


def test_log_line_holds_no_secret_wherever_it_comes_from(capsys, secret, monkeypatch):
    log = get_logger()
    for chosen in ("", "json"):
        monkeypatch.setenv("LOG_FORMAT", chosen)
        log.info(f"plain {SECRET}")
        log.warning("argument %s", SECRET)
        log.info(make_log_string(message=f"pair {SECRET}", url=f"https://u:{SECRET}@h"))
        log.info(make_log_string(password="by its name"))
        log_event("bad", is_error=1, reason={"attribute": SECRET})
        try:
            raise ValueError(f"exception {SECRET}")
        except ValueError:
            log.exception("failed")
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 12
    assert "S3cr" not in out
    assert "by its name" not in out
    assert out.count("***") >= 10


def test_pairs_that_somebody_wrote_by_hand_hold_no_secret(capsys, secret):
    get_logger().info('timestamp="now" password="by its name" url="https://me:word@host"')
    output = capsys.readouterr().out
    assert 'password="***" url="https://***@host"' in output


def test_traceback_holds_no_secret(capsys, secret):
    try:
        raise ValueError(SECRET) from OSError(f"cause {SECRET}")
    except ValueError as error:
        print_traceback(error)
    output = capsys.readouterr().err
    assert "ValueError: ***" in output
    assert "cause ***" in output


def test_json_line_stays_json_when_a_secret_is_taken_out(capsys, secret, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    logging.getLogger().setLevel(logging.INFO)
    get_logger().info(make_log_string(message=f'"{SECRET}"'))
    assert json.loads(capsys.readouterr().out)["message"] == '"***"'
