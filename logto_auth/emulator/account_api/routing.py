"""Registration of routes in Logto's notation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, ParamSpec

from flask import Blueprint, Response, g, request

from logto_auth.emulator.api.answers import answer, refuse_with_logtos_json, rule_of
from logto_auth.emulator.api.bodies import MAX_BODY_BYTES
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.uploads import MAX_BYTES

from .caller import Caller, current_caller

blueprint = Blueprint("account_api", __name__, url_prefix="/api")

# The uploaded files, which are public.
uploads = Blueprint("uploads", __name__)

# The paths of both APIs, to which scripts of any origin have access.
PREFIXES = ("/api/my-account", "/api/verifications")

AVATAR_PATH = "/my-account/user-assets/avatar"

_Parameters = ParamSpec("_Parameters")
_View = Callable[Concatenate[Tenant, Caller, _Parameters], Any]

refuse_with_logtos_json(blueprint)


@blueprint.before_request
def _check_caller() -> None:
    if not _is_upload():
        request.max_content_length = MAX_BODY_BYTES
    g.caller = current_caller(current())


def allow_upload() -> None:
    """Let an upload be larger than other bodies. This comes before the body of the request is read.

    A file that is a little too large is answered as at Logto, and a larger one is not read.
    """
    if _is_upload():
        request.max_content_length = 2 * MAX_BYTES


def _is_upload() -> bool:
    return request.path == f"/api{AVATAR_PATH}"


def route(method: str, path: str, *, status: int = 200) -> Callable[[_View[_Parameters]], _View[_Parameters]]:
    """Return a decorator that serves a view at a path such as `/my-account/identities/:target`.

    The view receives the tenant, the caller and the path parameters in snake case, and returns JSON data, a response,
    or None for an empty body. It runs under the locks of the tenant. The token was checked, and nothing else.
    """

    def register(view: _View[_Parameters]) -> _View[_Parameters]:
        def respond(**parameters: str) -> Response:
            return answer(partial(view, current().tenant, g.caller), parameters, status=status)

        blueprint.add_url_rule(rule_of(path), f"{method} {path}", respond, methods=[method])
        return view

    return register
