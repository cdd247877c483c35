"""Servers that answer, refuse, are ill or absent; and passwords in their addresses."""

import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, UNAUTHENTICATED
from requests import ConnectionError as NoConnection
from requests import HTTPError, Response

from softres.common.errors import InputError
from softres.tracking import TrackingOptions
from softres.tracking.durable.outage import AwayError, check_server, is_outage, refusal
from softres.tracking.options import without_secrets


class Answers(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Return a function that starts a server with one answer; its address comes back."""
    servers = []

    def start(status, certificate=None):
        handler = type("Handler", (Answers,), {"status": status})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        scheme = "https" if certificate else "http"
        return f"{scheme}://localhost:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_a_server_that_answers_is_there(serve, status):
    assert check_server(serve(status)) is None


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_is_ill_is_away(serve, status):
    with pytest.raises(AwayError, match=f"answers {status}"):
        check_server(serve(status))


def test_a_server_that_is_absent_is_away():
    with pytest.raises(AwayError, match="no server answers"):
        check_server("http://127.0.0.1:9", timeout=2)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", key, "-out", cert, "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.mark.parametrize(
    ("variable", "value", "trusted"),
    [
        ("UNSET", "", False),
        ("MLFLOW_TRACKING_SERVER_CERT_PATH", None, True),
        ("REQUESTS_CA_BUNDLE", None, True),
        ("MLFLOW_TRACKING_INSECURE_TLS", "true", True),
        ("MLFLOW_TRACKING_INSECURE_TLS", "false", False),
    ],
)
def test_certificates_are_trusted_as_the_environment_says(
    serve, certificate, monkeypatch, variable, value, trusted
):
    for name in ("MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, certificate[0] if value is None else value)
    uri = serve(200, certificate)
    if trusted:
        assert check_server(uri) is None
    else:
        with pytest.raises(AwayError, match=r"(?i)certificate"):
            check_server(uri)


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (MlflowException("x"), True),
        (MlflowException("x", error_code=1), True),
        (MlflowException.invalid_parameter_value("x"), False),
        (NoConnection("x"), True),
        (OSError(28, "No space left on device"), True),
        (AwayError("x"), True),
        (InputError("x"), False),
        (ValueError("x"), False),
        (KeyError("x"), False),
    ],
)
def test_which_errors_another_try_may_not_meet(error, passing):
    assert is_outage(error) is passing


def answered(status):
    response = Response()
    response.status_code = status
    return HTTPError("x", response=response)


@pytest.mark.parametrize(
    ("error", "user", "words"),
    [
        (MlflowException("x", error_code=UNAUTHENTICATED), "me", "does not accept the user"),
        (MlflowException("x", error_code=UNAUTHENTICATED), "", "asks for a user"),
        (MlflowException("x", error_code=PERMISSION_DENIED), "me", "does not permit this user"),
        (answered(401), "me", "does not accept the user"),
        (answered(403), "me", "does not permit this user"),
        (answered(404), "me", None),
        (MlflowException("x"), "me", None),
        (OSError("x"), "me", None),
    ],
)
def test_which_errors_turn_the_user_away(monkeypatch, error, user, words):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
    found = refusal("http://host", error)
    assert (found is None) == (words is None)
    if found is not None:
        assert str(found).startswith(f"tracking.uri=http://host: the server {words}")
        assert not is_outage(error)


@pytest.mark.parametrize(
    ("given", "address", "user", "password"),
    [
        ("https://me:s3cret@host:8443/base", "https://host:8443/base", "me", "s3cret"),
        ("http://me:a%40b%2Fc@host", "http://host", "me", "a@b/c"),
        ("http://me:p@ss@host", "http://host", "me", "p@ss"),
        ("http://me@host", "http://host", "me", ""),
    ],
)
def test_a_password_moves_to_the_environment(monkeypatch, given, address, user, password):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "before")  # so that what the options set is taken back
    options = TrackingOptions(uri=given)
    assert options.uri == options.absolute_uri == options.server == address
    assert "s3cret" not in repr(options)
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == user
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == password


def test_text_loses_its_passwords_and_nothing_else():
    text = "n=5 tracking.uri=http://me:pw@host:1 data.path=a@b.npz https://host/x@y"
    expected = "n=5 tracking.uri=http://host:1 data.path=a@b.npz https://host/x@y"
    assert without_secrets(text) == expected
