"""The Account Center: its built-in client, and what it keeps of a browser.

Logto's page is an app in the browser, with the built-in client `account-center`. It keeps its data in the storage of
the tab, some of it in that of the browser. Here all tabs of a browser share it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import ids
from .application_record import Application

ACCOUNT_CENTER_ID = "account-center"

# Logto keeps the URL to return to, and the page to show after a sign-in, for ten minutes.
KEPT_SECONDS = 600


def account_center_client(endpoint: str) -> Application:
    """Return the client of the Account Center. It belongs to Logto, and no list of applications has it."""
    url = f"{endpoint}/account"
    return Application(
        id=ACCOUNT_CENTER_ID,
        name="Account Center",
        type="SPA",
        secrets=[],
        redirect_uris=[url],
        post_logout_redirect_uris=[url],
    )


@dataclass
class AccountVisit:
    """A browser in the Account Center. Times are in seconds.

    `route` is the page to show after the sign-in, and `return_url` the one to return to after a task. `record_id` is
    the verification record. `steps` has what a task with several pages knows, by the path of the task.
    """

    id: str = field(default_factory=ids.opaque_token)
    csrf_token: str = field(default_factory=ids.opaque_token, repr=False)
    state: str = ""
    code_verifier: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    route: str = ""
    route_until: float = 0
    return_url: str = ""
    return_until: float = 0
    show_success: bool = False
    identifier: str = ""
    ui_locales: str = ""
    record_id: str = field(default="", repr=False)
    record_until: float = 0
    notice: str = ""
    steps: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def keep_return_url(self, url: str, now: float) -> None:
        self.return_url, self.return_until = url, now + KEPT_SECONDS

    def current_return_url(self, now: float) -> str:
        """Return the URL to return to, or "". It is forgotten after ten minutes."""
        return self.return_url if now < self.return_until else ""

    def keep_route(self, route: str, now: float) -> None:
        self.route, self.route_until = route, now + KEPT_SECONDS

    def taken_route(self, now: float) -> str:
        """Return the page to show after the sign-in, or "", and forget it."""
        route, self.route = self.route, ""
        return route if now < self.route_until else ""

    def keep_record(self, record_id: str, until: float) -> None:
        self.record_id, self.record_until = record_id, until

    def current_record(self, now: float) -> str:
        """Return the id of the verification record, or "" if there is none or it has expired."""
        return self.record_id if now < self.record_until else ""

    def forget_record(self) -> None:
        self.record_id, self.record_until = "", 0

    def taken_notice(self) -> str:
        """Return the message that one page shows, and forget it."""
        notice, self.notice = self.notice, ""
        return notice

    def taken_identifier(self) -> str:
        """Return the value to pre-fill, and forget it."""
        identifier, self.identifier = self.identifier, ""
        return identifier
