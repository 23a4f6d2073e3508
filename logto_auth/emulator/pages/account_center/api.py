"""Calls of the Account Center to Logto's APIs, as its page makes them.

The Account Center has no access to the tenant: it may do what the Account API allows it, no more and no less.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from werkzeug.test import Client

from logto_auth.emulator.state.account_visits import AccountVisit
from logto_auth.emulator.state.sign_in_rules import SignInRefused

PERMISSION_DENIED = "verification_record.permission_denied"


@dataclass(frozen=True)
class Answer:
    """An answer of Logto. `data` is its JSON, or {}."""

    status: int
    data: Any

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def code(self) -> str:
        """Logto's error code, or ""."""
        return str(self.data.get("code", "")) if isinstance(self.data, dict) else ""

    @property
    def refusal(self) -> SignInRefused:
        """The error, for the page."""
        message = self.data.get("message") if isinstance(self.data, dict) else None
        return SignInRefused(self.code or "server_error", str(message or "Something went wrong."), status=self.status)


class CallRefused(Exception):
    """Logto refused a call."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


def call(
    visit: AccountVisit, method: str, path: str, body: Mapping[str, Any] | None = None, *, record: str = ""
) -> Any:
    """Send a request with the access token of the visit, and return the JSON of the answer. Raise CallRefused."""
    headers = {"Authorization": f"Bearer {visit.access_token}"} if visit.access_token else {}
    headers |= {"logto-verification-id": record} if record else {}
    answer = _send(method, path, headers, json=body)
    if not answer.ok:
        raise CallRefused(answer)
    return answer.data


def post_form(path: str, fields: Mapping[str, str]) -> Answer:
    """Post a form without a token, and return the answer."""
    return _send("POST", path, {}, data=fields)


def _send(method: str, path: str, headers: Mapping[str, str], **body: Any) -> Answer:
    """Send a request of this browser to this server, without its cookies."""
    client = Client(current_app.wsgi_app, use_cookies=False)
    sent = {
        "method": method,
        "base_url": request.host_url,
        "headers": {"User-Agent": request.headers.get("User-Agent", ""), **headers},
        "environ_base": {"REMOTE_ADDR": request.remote_addr},
        **{name: value for name, value in body.items() if value is not None},
    }
    # A new context, or Flask would let both requests share one `g`.
    response = Context().run(client.open, path, buffered=True, **sent)
    data = response.get_json(silent=True) if response.is_json else None
    if data is None and response.status_code == 200 and response.mimetype != "text/plain":
        # A fault cut the answer off.
        return Answer(502, {})
    return Answer(response.status_code, {} if data is None else data)
