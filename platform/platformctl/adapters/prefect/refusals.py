"""The errors for answers of Prefect's server that aren't what was asked for, in its own words and with the next step."""

import json

import requests

from platformctl.errors import PlatformError, ServerError, UsageError


def refused(url: str, status: int, text: str) -> ServerError:
    """Return the error for an answer that isn't what was asked for."""
    if status == requests.codes.unauthorized:
        remedy = (
            "Another platform may use this port: set another server.port. Or restore this platform's .platform/secrets."
        )
        return ServerError(f"Prefect's server at {url} refuses the password of this platform (401).", remedy=remedy)
    remedy = "Correct what it names; `platformctl logs server` shows the server's side."
    return ServerError(f"Prefect's server at {url} answered {status}: {_words(text)}", remedy=remedy)


def wrong_parameters(url: str, status: int, text: str) -> PlatformError:
    """Return the error for an answer to the parameters of a flow run, which Prefect holds against the flow's."""
    if status not in (requests.codes.bad_request, requests.codes.conflict, requests.codes.unprocessable_entity):
        return refused(url, status, text)
    remedy = "Correct the parameter, `-p KEY=VALUE`, the value as JSON or a string. No flow run was started."
    return UsageError(f"Prefect refuses the parameters: {_words(text)}", remedy=remedy)


def _words(text: str) -> str:
    try:
        return str(json.loads(text).get("detail", text))
    except (ValueError, AttributeError):
        return text
