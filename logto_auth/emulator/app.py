"""The web application: routes, CORS, faults and the request log."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from . import account_api, management_api
from .cloud import check_cloud_request
from .faults import ENDPOINTS, HttpFault
from .oidc import authorization, discovery, end_session, token_endpoints, userinfo
from .oidc.errors import OIDCError
from .oidc.http import error_response, json_response
from .pages import (
    account_center,
    alipay_app,
    alipay_pages,
    alipay_stand_in,
    consent_page,
    continue_pages,
    messages_page,
    mfa_binding_pages,
    mfa_verification_pages,
    one_time_token_pages,
    sign_in,
)
from .provider import Provider, current, install
from .request_log import RecordedRequest, headers_without_secrets, without_secrets

_MODULES = (
    discovery,
    authorization,
    token_endpoints,
    userinfo,
    end_session,
    sign_in,
    consent_page,
    one_time_token_pages,
    continue_pages,
    mfa_verification_pages,
    mfa_binding_pages,
    alipay_pages,
    alipay_app,
    account_center,
    alipay_stand_in,
    messages_page,
    account_api,
    management_api,
)

# Endpoints with CORS headers.
_CORS_ENDPOINTS = frozenset({"discovery", "jwks", "token", "me", "revocation", "introspection"})
_CORS_METHODS = "GET,HEAD,PUT,POST,DELETE,PATCH"

_logger = logging.getLogger(__name__)


def create_app(provider: Provider) -> Flask:
    """Return the WSGI application of one provider."""
    app = Flask("logto_auth.emulator", template_folder="pages/templates")
    # The limit of Logto's token endpoint.
    app.config["MAX_CONTENT_LENGTH"] = 56 * 1024
    install(provider, app.extensions)
    for module in _MODULES:
        app.register_blueprint(module.blueprint)
    app.register_blueprint(management_api.public)
    app.register_blueprint(account_api.uploads)
    app.register_blueprint(account_api.well_known)
    app.before_request(account_api.allow_upload)
    app.before_request(_record)
    app.before_request(_refuse_as_cloud)
    app.before_request(_answer_preflight)
    app.before_request(_apply_fault_before)
    app.after_request(_allow_other_origins)
    app.after_request(_vary)
    app.after_request(_apply_fault_after)
    app.register_error_handler(Exception, _answer_error)
    return app


def _endpoint_name() -> str:
    """Return the name of the endpoint in faults and in the request log, or ""."""
    if request.blueprint in {management_api.blueprint.name, account_api.blueprint.name}:
        return request.blueprint
    name = (request.endpoint or "").rpartition(".")[2]
    return name if name in ENDPOINTS else ""


def _record() -> None:
    form = {} if request.is_json else dict(request.form.lists())
    current().requests.append(
        RecordedRequest(
            method=request.method,
            path=request.path,
            endpoint=_endpoint_name(),
            query=without_secrets(dict(request.args.lists())),
            form=without_secrets(form),
            headers=headers_without_secrets(request.headers.items()),
        )
    )


def _refuse_as_cloud() -> Response | None:
    provider = current()
    return check_cloud_request(provider.endpoint, provider.rate_limit) if provider.cloud_tenant else None


def _apply_fault_before() -> Response | None:
    """Apply the part of a fault that comes before the endpoint."""
    name = _endpoint_name()
    fault = current().faults.http.take(name, f"{request.method} {request.path}") if name else None
    g.fault = fault
    if fault is None:
        return None
    time.sleep(fault.delay_seconds)
    if fault.drop:
        _drop_connection(request.environ)
        return Response()
    if not fault.answers:
        return None
    return Response(fault.body or b"", fault.status or 200, dict(fault.headers))


def _drop_connection(environ: Mapping[str, Any]) -> None:
    """Close the connection. To the server it looks as if the client had closed it."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)


def _apply_fault_after(response: Response) -> Response:
    """Apply the part of a fault that changes the response."""
    fault: HttpFault | None = g.get("fault")
    if fault is None:
        return response
    response.headers.update(dict(fault.headers))
    body = response.get_data()
    if fault.truncate_after is not None:
        response.response = _truncate(body[: fault.truncate_after], request.environ)
        response.headers["Content-Length"] = str(len(body))
    elif fault.drip_seconds:
        response.response = _drip(body, fault.drip_seconds)
        response.headers["Content-Length"] = str(len(body))
    return response


def _truncate(start: bytes, environ: Mapping[str, Any]) -> Iterator[bytes]:
    yield start
    _drop_connection(environ)


def _drip(body: bytes, seconds: float) -> Iterator[bytes]:
    for byte in body:
        time.sleep(seconds)
        yield bytes([byte])


def _answer_preflight() -> Response | None:
    """Answer the question of a browser whether a script may call the Account API, before any other check."""
    if request.method != "OPTIONS" or not _is_of_account_api():
        return None
    response = Response(status=204)
    del response.headers["Content-Type"]
    if "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = _CORS_METHODS
        asked = request.headers.get("Access-Control-Request-Headers")
        if asked:
            response.headers["Access-Control-Allow-Headers"] = asked
    return response


def _is_of_account_api() -> bool:
    return request.path.startswith(account_api.PREFIXES)


def _allow_other_origins(response: Response) -> Response:
    if _is_of_account_api():
        response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        if request.method != "OPTIONS":
            response.headers["Access-Control-Expose-Headers"] = "*"
        return response
    if _endpoint_name() not in _CORS_ENDPOINTS:
        return response
    if g.get("origin_refused"):
        return response
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    if request.method == "OPTIONS":
        response.status_code = 204
        del response.headers["Content-Type"]
        response.headers["Access-Control-Allow-Methods"] = _CORS_METHODS
        asked = request.headers.get("Access-Control-Request-Headers")
        if asked:
            response.headers["Access-Control-Allow-Headers"] = asked
    return response


def _vary(response: Response) -> Response:
    """Set the `Vary` of Logto: it compresses all responses, and its APIs answer each origin."""
    response.vary.add("Accept-Encoding")
    if _endpoint_name() in _CORS_ENDPOINTS or request.path.startswith("/api/"):
        response.vary.add("Origin")
    return response


def _answer_error(error: Exception) -> Response:
    """Return Logto's JSON for errors under `/oidc`, and its plain text for unknown paths elsewhere."""
    if request.path.startswith("/api/"):
        return _answer_api_error(error)
    if request.path.startswith("/.well-known/") and isinstance(error, HTTPException):
        return Response(error.name, error.code, content_type="text/plain; charset=utf-8")
    if not request.path.startswith("/oidc"):
        if isinstance(error, HTTPException):
            return _plain(error)
        raise error
    if isinstance(error, OIDCError):
        return error_response(error)
    if isinstance(error, HTTPException) and error.code in {404, 405}:
        path = request.path.removeprefix("/oidc") if request.path not in ("/oidc", "/oidc/") else "/"
        description = f"unrecognized route or not allowed method ({request.method} on {path})"
        response = error_response(OIDCError("invalid_request", description, status=404))
        del response.headers["Cache-Control"]
        return response
    if isinstance(error, HTTPException):
        return error_response(OIDCError("invalid_request", "request is invalid", status=error.code or 400))
    _logger.exception("The emulator failed to answer %s", request.path)
    return error_response(OIDCError("server_error", "oops! something went wrong", status=500))


def _plain(error: HTTPException) -> Response:
    allowed = sorted(set(getattr(error, "valid_methods", None) or ()) - {"OPTIONS"})
    headers = {"Allow": ", ".join(allowed)} if allowed else {}
    return Response(error.name, error.code, headers, content_type="text/plain; charset=utf-8")


def _answer_api_error(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return _plain(error)
    _logger.exception("The emulator failed to answer %s", request.path)
    return json_response({"message": "Internal server error."}, status=500)
