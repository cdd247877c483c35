"""Whether a server answers, and whether an error says that a store is away for a while."""

from __future__ import annotations

import os
import ssl
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import urlopen

from softres.common.errors import InputError

__all__ = [
    "AwayError",
    "check_server",
    "is_answer",
    "is_forbidden",
    "is_outage",
    "lasting",
    "refusal",
]

_USER, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
#: What MLflow calls the errors that another try, later, may not meet.
_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")
#: What MLflow and SQLite say of a store that will not get well by itself, and what that means.
_LASTING = {
    "out-of-date database schema": (
        "its tables are of another version of MLflow; keep a copy of it, then 'mlflow db upgrade "
        "{uri}'"
    ),
    "file is not a database": "it is no SQLite database",
    "database disk image is malformed": "the database is damaged",
}


class AwayError(InputError):
    """A store does not answer now; what would be written can wait for it."""


def check_server(uri: str, timeout: float = 10.0) -> None:
    """Return if a server answers.

    MLflow itself asks an absent server again and again for four minutes.

    Parameters
    ----------
    uri
        The server's address.
    timeout
        Seconds that it may take.

    Raises
    ------
    AwayError
        If nobody answers.
    """
    try:
        urlopen(f"{uri}/health", timeout=timeout, context=_tls(uri)).close()
    except HTTPError as error:
        if error.code >= 500:
            raise AwayError(f"tracking.uri={uri}: the server answers {error.code}") from error
        # Otherwise somebody answers, if only to ask for a password.
    except (OSError, HTTPException) as error:
        raise AwayError(f"tracking.uri={uri}: no server answers: {error}") from error


def _tls(uri: str) -> ssl.SSLContext | None:
    """Trust whom MLflow trusts, by the same variables of the environment."""
    if not uri.startswith("https"):
        return None
    bundle = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    context = ssl.create_default_context(cafile=bundle or os.environ.get("REQUESTS_CA_BUNDLE"))
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("1", "true"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def refusal(uri: str, error: BaseException) -> InputError | None:
    """Return in a line that a server turns this user away; ``None`` for another kind of error."""
    code = _code(error)
    if code == 403:
        return InputError(f"tracking.uri={uri}: the server does not permit this user to write here")
    if code != 401:
        return None
    if not os.environ.get(_USER):
        return InputError(
            f"tracking.uri={uri}: the server asks for a user and a password; set {_USER} and "
            f"{_PASSWORD} in the environment"
        )
    return InputError(
        f"tracking.uri={uri}: the server does not accept the user and password of {_USER} and "
        f"{_PASSWORD}"
    )


def _code(error: BaseException) -> int | None:
    """Return the HTTP status that turns a user away, 401 or 403; another one or none otherwise."""
    from mlflow.exceptions import MlflowException
    from requests import HTTPError as Refused

    if isinstance(error, MlflowException):
        return {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}.get(str(error.error_code))
    if isinstance(error, Refused) and error.response is not None:
        return int(error.response.status_code)
    return None


def is_forbidden(error: BaseException) -> bool:
    """Tell whether a server answers 403."""
    return _code(error) == 403


def is_answer(error: BaseException) -> bool:
    """Tell whether a store answered, and not with what was asked of it."""
    from mlflow.exceptions import MlflowException
    from requests import HTTPError as Refused

    return isinstance(error, MlflowException | Refused)


def lasting(uri: str, error: BaseException) -> InputError | None:
    """Return in a line a trouble that no other try will end; ``None`` for another kind of error."""
    text = str(error)
    for sign, reason in _LASTING.items():
        if sign in text:
            return InputError(f"tracking.uri={uri}: {reason.format(uri=uri)}")
    return None


def is_outage(error: BaseException) -> bool:
    """Tell whether a store failed for a reason of its own: gone, locked, busy, disk full.

    Such a call is worth another try. An error of any other kind says that the call was wrong.
    """
    from mlflow.exceptions import MlflowException
    from requests import HTTPError as Refused

    if lasting("", error):
        return False
    if isinstance(error, Refused):  # of artifacts, which a server takes by plain HTTP
        return error.response is None or error.response.status_code >= 500
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    # requests' errors of connection are OSErrors too, and so is a full disk.
    return isinstance(error, AwayError | OSError)
