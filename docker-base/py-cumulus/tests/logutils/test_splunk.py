"""Lines to Splunk: all of them when it listens, and no harm when it is slow, down or refuses."""

import base64
import json
import logging
import multiprocessing
import os
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from programs import need
from samples import SOURCE

from cumulus.logutils import close_logger, get_logger, log_event, make_log_string, splunk

TOKEN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    need("openssl")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return folder


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.status() if callable(self.server.status) else self.server.status
        self.server.requests.append((self.path, dict(self.headers), body.decode(), status))
        answer = json.dumps({"text": "said"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = self.server.hangs_up

    def log_message(self, *_arguments):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments):
        pass  # a client that does not trust us hangs up


@pytest.fixture
def server(certificate):
    """Splunk as far as a client sees it: ``status`` is what it answers, ``requests`` what came."""
    server = _Server(("127.0.0.1", 0), _Requests)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.status, server.requests, server.hangs_up = 200, [], False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def configure(monkeypatch, certificate, server):
    """Point the environment at the server; keyword arguments change or, with None, unset."""
    monkeypatch.setattr(splunk, "BATCH_SECONDS", 0.05)
    monkeypatch.setattr(splunk, "CLOSE_SECONDS", 60)  # a busy machine is not what is tested

    def configure(**changes):
        variables = {
            "HOST": "127.0.0.1",
            "PORT": str(server.server_address[1]),
            "HEC_TOKEN": TOKEN,
            "CA_BUNDLE": str(certificate / "certificate.pem"),
        }
        for name, value in (variables | changes).items():
            if value is not None:
                monkeypatch.setenv(f"SPLUNK_{name}", value)

    return configure


def received(server, status=200):
    """The events of the requests that the server answered with this status."""
    bodies = [body for _, _, body, answered in server.requests if answered == status]
    return [json.loads(line)["event"] for body in bodies for line in body.splitlines()]


def test_collector_gets_every_line_in_order(configure, server, capsys):
    configure()
    for number in range(1200):
        get_logger().info(f"line {number}")
    close_logger()
    assert received(server) == [f"line {number}" for number in range(1200)]
    assert len(server.requests) < 20
    path, headers, _, _ = server.requests[0]
    assert (path, headers["Authorization"]) == ("/services/collector/event", f"Splunk {TOKEN}")
    assert len(capsys.readouterr().out.splitlines()) == 1200  # and nothing about Splunk


def test_event_has_its_time_and_only_a_chosen_index(configure, server):
    configure(INDEX="hs3")
    get_logger().info("x")
    close_logger()
    event = json.loads(server.requests[0][2])
    assert abs(event["time"] - time.time()) < 5
    assert event["index"] == "hs3"


def test_json_lines_arrive_as_objects(configure, server, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    configure()
    log_event("x", granule_id="A1")
    close_logger()
    (event,) = received(server)
    assert (event["message"], event["granules"]) == ("x", '["A1"]')


def test_receiver_gets_plain_lines_with_the_variables_of_the_seed(configure, server):
    configure(HEC_TOKEN=None, USERNAME="me", PASSWORD="p:w", INDEX="hs3")
    get_logger().info("first")
    get_logger().info("second")
    close_logger()
    path, headers, body, _ = server.requests[0]
    assert urlsplit(path).path == "/services/receivers/simple"
    assert parse_qs(urlsplit(path).query)["index"] == ["hs3"]
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"me:p:w"
    assert "".join(request[2] for request in server.requests) == "first\nsecond\n"
    assert body.endswith("\n")


def test_debug_lines_never_go_to_splunk(configure, server):
    configure()
    get_logger().setLevel(logging.DEBUG)
    get_logger().debug("detail")
    get_logger().info("event")
    close_logger()
    assert received(server) == ["event"]


def test_a_busy_splunk_gets_the_lines_again(configure, server, capsys):
    answers = iter([503, 429, 200])
    server.status = lambda: next(answers, 200)
    configure()
    get_logger().info("line")
    deadline = time.monotonic() + 20
    while not received(server) and time.monotonic() < deadline:
        time.sleep(0.02)
    close_logger()
    assert [status for *_, status in server.requests] == [503, 429, 200]
    assert received(server) == ["line"]
    assert capsys.readouterr().out == "line\n"


def test_a_connection_that_was_closed_while_it_was_idle_loses_nothing(configure, server, capsys):
    """The server does so in silence, after each answer; the last line is sent when all ends."""
    server.hangs_up = True
    configure()
    for number in range(3):
        get_logger().info(f"line {number}")
        deadline = time.monotonic() + 20
        while number < 2 and len(received(server)) <= number and time.monotonic() < deadline:
            time.sleep(0.02)
    close_logger()
    assert received(server) == ["line 0", "line 1", "line 2"]
    assert "did not reach" not in capsys.readouterr().out


def test_a_splunk_that_is_busy_when_all_ends_gets_the_lines_again(configure, server, capsys):
    answers = iter([503, 503])
    server.status = lambda: next(answers, 200)
    configure()
    get_logger().info("line")
    close_logger()
    assert received(server) == ["line"]
    assert capsys.readouterr().out == "line\n"


def lost(capsys):
    """The line at the end that says what was dropped."""
    (message,) = [text for text in capsys.readouterr().out.splitlines() if "did not reach" in text]
    assert 'level="warn"' in message
    return message


def test_a_splunk_that_refuses_is_left_alone(configure, server, capsys):
    server.status = 403
    configure()
    get_logger().info("first")
    deadline = time.monotonic() + 10
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    for number in range(1000):
        get_logger().info(f"line {number}")
    close_logger()
    assert len(server.requests) <= 2
    assert "1001 log lines did not reach Splunk" in (message := lost(capsys))
    assert "it answered 403" in message
    assert TOKEN not in message


def test_a_batch_that_splunk_cannot_read_does_not_stop_the_next(configure, server, capsys):
    answers = iter([400])
    server.status = lambda: next(answers, 200)
    configure()
    get_logger().info("bad")
    deadline = time.monotonic() + 10
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    get_logger().info("good")
    close_logger()
    assert received(server) == ["good"]
    assert "1 log line did not reach" in lost(capsys)


def test_a_redirection_is_not_followed(configure, server, capsys):
    server.status = 302
    configure()
    get_logger().info("x")
    close_logger()
    assert len(server.requests) == 1
    assert "it answered 302" in lost(capsys)


def test_a_splunk_that_is_down_costs_nothing_but_its_lines(configure, server, capsys, monkeypatch):
    """It is asked until the time for it is over."""
    monkeypatch.setattr(splunk, "CLOSE_SECONDS", 1)
    configure()
    server.shutdown()
    server.server_close()
    for number in range(2000):
        get_logger().info(f"line {number}")
    close_logger()
    message = lost(capsys)
    assert "2000 log lines did not reach" in message
    assert "refused" in message


def test_a_hanging_splunk_holds_up_neither_lines_nor_end(configure, server, capsys, monkeypatch):
    monkeypatch.setattr(splunk, "CLOSE_SECONDS", 0.3)
    answered = threading.Event()
    server.status = lambda: answered.wait(60) and 200
    configure()
    for number in range(100):
        get_logger().info(f"line {number}")
    close_logger()  # returns although the answer is still outstanding
    assert not answered.is_set()
    answered.set()
    assert "100 log lines did not reach" in lost(capsys)


def test_memory_is_bounded_and_the_newest_lines_are_kept(configure, server, capsys, monkeypatch):
    monkeypatch.setattr(splunk, "MAX_LINES", 10)
    monkeypatch.setattr(splunk, "MAX_BYTES", 1000)
    monkeypatch.setattr(splunk, "BATCH_SECONDS", 60)
    configure()
    for number in range(50):
        get_logger().info(f"line {number}")
    for number in range(3):
        get_logger().info(f"{number}" * 400)
    close_logger()
    assert received(server) == ["1" * 400, "2" * 400]
    assert "51 log lines did not reach" in lost(capsys)


def test_an_unknown_certificate_is_not_trusted(configure, server, capsys, monkeypatch):
    configure(CA_BUNDLE=None)
    get_logger().info("x")
    close_logger()
    assert server.requests == []
    assert "certificate verify failed" in lost(capsys).lower()


def test_a_certificate_for_another_name_is_not_trusted(configure, server, capsys):
    configure(HOST="localhost")
    get_logger().info("x")
    close_logger()
    assert server.requests == []
    assert "certificate" in lost(capsys)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"HEC_TOKEN": None}, "neither SPLUNK_HEC_TOKEN nor SPLUNK_USERNAME"),
        ({"HEC_TOKEN": None, "USERNAME": "me"}, "neither SPLUNK_HEC_TOKEN nor SPLUNK_USERNAME"),
        ({"PORT": "https"}, "SPLUNK_PORT must be a number"),
        ({"CA_BUNDLE": "/absent.pem"}, "cannot use SPLUNK_CA_BUNDLE '/absent.pem'"),
    ],
)
def test_wrong_variables_are_named_and_processing_goes_on(
    configure, server, capsys, changes, message
):
    configure(**changes)
    get_logger().info("x")
    close_logger()
    first, second = capsys.readouterr().out.splitlines()
    assert "no log lines go to Splunk: " in first
    assert message in first
    assert second == "x"
    assert server.requests == []


def test_a_token_that_no_header_can_hold_is_not_shown(configure, server, capsys):
    configure(HEC_TOKEN=f"{TOKEN}\nX: y")
    get_logger().info("x")
    close_logger()
    assert TOKEN not in capsys.readouterr().out
    assert server.requests == []


def test_without_a_host_there_is_no_handler(configure, server, monkeypatch):
    configure()
    monkeypatch.delenv("SPLUNK_HOST")
    get_logger().info("x")
    close_logger()
    assert server.requests == []


def test_logger_asked_twice_sends_a_line_once(configure, server):
    configure()
    get_logger()
    get_logger().info("x")
    close_logger()
    assert received(server) == ["x"]


# --- forked workers --------------------------------------------------------------------------


def _work(number):
    get_logger().info(f"worker {number}")


def test_workers_of_multiprocessing_send_their_lines_when_they_end(configure, server):
    configure()
    get_logger().info("parent")
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    close_logger()
    assert sorted(received(server)) == ["parent", *(f"worker {number}" for number in range(3))]


def test_forked_child_sends_its_own_lines_and_not_its_parents(configure, server, monkeypatch):
    monkeypatch.setattr(splunk, "BATCH_SECONDS", 60)  # the parent's line still waits at the fork
    configure()
    get_logger().info("parent")
    child = os.fork()
    if child == 0:
        try:
            get_logger().info("child")
            close_logger()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert received(server) == ["child"]
    close_logger()
    assert received(server) == ["child", "parent"]


def test_a_process_hands_over_its_lines_when_it_ends_by_itself(configure, server):
    configure()
    code = "from cumulus.logutils import get_logger; get_logger().info('last words')"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "last words\n", "")
    assert received(server) == ["last words"]


def test_secrets_do_not_go_to_splunk(configure, server, monkeypatch):
    monkeypatch.setenv("EARTHDATA_PASSWORD", "hunter22")
    configure()
    get_logger().info(make_log_string(message="login with hunter22"))
    close_logger()
    assert "hunter22" not in server.requests[0][2]
    assert TOKEN not in server.requests[0][2]
