"""No error report and no log record shows a secret, wherever an error happens.

An error is raised at the end of a function, when all of its variables are set, in this package, and in the libraries
that it passes secrets to.
"""

from __future__ import annotations

import logging
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import CodeType, FrameType
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.test import Client
from django.views.debug import ExceptionReporter

from logto_auth import clients
from logto_auth.clients import machine_client, management_api, reset_clients
from logto_auth.emulator import Emulator
from logto_auth.encryption import decrypt
from logto_auth.models import LogtoSession
from logto_auth.oidc.secrets import Secret, as_secret
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import API
from tests.support import JWT, pending_cookies
from tests.webhooks.deliveries import SIGNING_KEY, deliver

pytestmark = pytest.mark.django_db

PACKAGES = ("logto_auth", "requests", "urllib3", "http.client", "json", "jwt", "cryptography.fernet", "base64", "hmac")
OURS = ("logto_auth",)
NOT_THE_SITE = ("logto_auth.emulator", "logto_auth.testing")
M2M_SECRET = "secret-of-the-robot-0123456789"
# How many functions of each group are tried in each flow.
SAMPLE = 5


class Flow:
    """Something that a site does with secrets. `prepare` returns a function that does it."""

    def __init__(self, browser: Browser, logto: Emulator, settings: Any) -> None:
        self.browser = browser
        self.logto = logto
        self.settings = settings
        self.verifiers: list[str] = []
        browser.client.raise_request_exception = False

    def sign_in(self) -> Callable[[], object]:
        self.browser.client.cookies.clear()
        url = self.browser.logto.sign_in(self.browser.start(), "reader")
        pending = [decrypt(cookie, purpose="sign-in") for cookie in pending_cookies(self.browser.client).values()]
        self.verifiers = [each["code_verifier"] for each in pending if each]
        assert self.verifiers
        return lambda: self.browser.open(url)

    def refresh(self) -> Callable[[], object]:
        self._sign_in()
        age(self.browser)
        return lambda: self.browser.client.get("/account/claims")

    def sign_out(self) -> Callable[[], object]:
        self._sign_in()
        return lambda: self.browser.client.post("/sign-out")

    def api_call(self) -> Callable[[], object]:
        now = self.logto.clock.now()
        claims = {"iss": self.logto.issuer, "aud": self.settings.LOGTO_API_RESOURCE, "sub": "u1", "client_id": "app"}
        token = self.logto.sign({**claims, "iat": now, "exp": now + 60}, header={"typ": "at+jwt"})
        client = Client(raise_request_exception=False)
        return lambda: client.get("/api/loans/", headers={"Authorization": f"Bearer {token}"})

    def backchannel_logout(self) -> Callable[[], object]:
        now = self.logto.clock.now()
        event = {"http://schemas.openid.net/event/backchannel-logout": {}}
        claims = {"iss": self.logto.issuer, "aud": self.settings.LOGTO_APP_ID, "sub": "u1", "iat": now, "jti": str(now)}
        token = self.logto.sign({**claims, "events": event}, header={"typ": "logout+jwt"})
        return lambda: self.browser.client.post("/back-channel-logout", {"logout_token": token})

    def webhook(self) -> Callable[[], object]:
        return lambda: deliver({"event": "User.Deleted", "createdAt": "2026-01-01T00:00:00Z", "data": {"id": "u1"}})

    def machine_token(self) -> Callable[[], object]:
        return lambda: machine_client().token(resource="https://default.logto.app/api", scopes=["all"])

    def token_exchange(self) -> Callable[[], object]:
        personal_access_token, resource = Secret(self._personal_access_token()), self.settings.LOGTO_API_RESOURCE
        return lambda: clients.token_exchange().exchange_personal_access_token(personal_access_token, resource=resource)

    def api_key(self) -> Callable[[], object]:
        self.settings.LOGTO_API_RESOURCE = API
        if self.logto.tenant.find_resource(API) is None:
            self.logto.tenant.add_resource(API, scopes=["read:books"])
        key, client = self._personal_access_token(), Client(raise_request_exception=False)
        return lambda: client.get("/api/books/", headers={"Authorization": f"Bearer {key}"})

    def management_call(self) -> Callable[[], object]:
        return lambda: list(management_api().users.all())

    def _personal_access_token(self) -> str:
        """Return a new token, and allow its exchange."""
        tenant = self.logto.tenant
        tenant.applications[self.settings.LOGTO_APP_ID].custom_client_metadata["allowTokenExchange"] = True
        tenant.personal_access_tokens.clear()
        return tenant.add_personal_access_token(tenant.find_user(username="reader").id, "script").value

    def _sign_in(self) -> None:
        self.browser.client.cookies.clear()
        LogtoSession.objects.all().delete()
        assert self.browser.sign_in("reader").status_code == 302


FLOWS = [name for name, value in vars(Flow).items() if callable(value) and not name.startswith("_")]


class Broken(Exception):
    pass


@contextmanager
def traced(on_return: Callable[[FrameType], None]) -> Iterator[None]:
    """Call `on_return` when a function of `PACKAGES` is about to return in this thread."""

    def local(frame: FrameType, event: str, argument: object) -> Any:
        # The value that the function returns would be reported as a variable of this one.
        del argument
        if event == "return":
            on_return(frame)
        return local

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        module = frame.f_globals.get("__name__", "")
        is_traced = module.startswith(PACKAGES) and not module.startswith(NOT_THE_SITE)
        return local if is_traced and not frame.f_code.co_name.startswith("<") else None

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(former)


def functions_of(run: Callable[[], object]) -> dict[CodeType, str]:
    """Return the functions that `run` calls, with their modules."""
    found: dict[CodeType, str] = {}
    with traced(lambda frame: found.setdefault(frame.f_code, frame.f_globals["__name__"])):
        run()
    # They get the plain text, and cannot fail.
    for function in (Secret.__init__, as_secret):
        found.pop(function.__code__, None)
    return found


def reports_of(run: Callable[[], object], function: CodeType, caplog: Any) -> str:
    """Return all that is reported and logged about an error at the end of `function`."""
    texts: list[str] = []

    def report(sender: object = None, request: Any = None, **kwargs: object) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        texts.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    def fail(frame: FrameType) -> None:
        if frame.f_code is function:
            raise Broken("An error of a test.")

    caplog.clear()
    got_request_exception.connect(report)
    try:
        with suppress(Broken), traced(fail):
            run()
    except Exception:
        report()
    finally:
        got_request_exception.disconnect(report)
    for record in caplog.records:
        texts.append(record.getMessage())
        if record.exc_info and record.exc_info[0] is not None:
            texts.append(ExceptionReporter(None, *record.exc_info).get_traceback_text())
    return "\n".join(texts)


def secrets_of(flow: Flow) -> list[str]:
    instances = flow.logto.instances
    settings = flow.settings
    return [
        M2M_SECRET,
        SIGNING_KEY,
        settings.LOGTO_APP_SECRET,
        *instances.access_tokens,
        *instances.refresh_tokens,
        *flow.logto.tenant.personal_access_tokens,
        *flow.verifiers,
    ]


# An error inside of a library may leave a socket open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("debug", [False, True], ids=["mail", "debug-page"])
@pytest.mark.parametrize("name", FLOWS)
def test_error_reports_show_no_secret(
    browser: Browser, logto: Emulator, reader: Any, settings: Any, caplog: Any, name: str, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    machine = logto.tenant.add_application(
        name="Robot", type="MachineToMachine", secret=M2M_SECRET, roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, M2M_SECRET
    flow = Flow(browser, logto, settings)
    caplog.set_level(logging.DEBUG)
    reset_clients()
    found = functions_of(getattr(flow, name)())
    ours = [function for function, module in found.items() if module.startswith(OURS)]
    theirs = [function for function, module in found.items() if not module.startswith(OURS)]
    assert ours
    chance = random.Random(name)
    for function in [*chance.sample(ours, min(SAMPLE, len(ours))), *chance.sample(theirs, min(SAMPLE, len(theirs)))]:
        reset_clients()
        run = getattr(flow, name)()
        reset_clients()
        text = reports_of(run, function, caplog)
        shown = [secret for secret in secrets_of(flow) if secret in text]
        if name != "backchannel_logout":
            # Reports show the parameters of a POST, unless the view has begun and DEBUG is off.
            shown += JWT.findall(text)
        around = text[max(0, text.index(shown[0]) - 300) : text.index(shown[0]) + 50] if shown else ""
        assert shown == [], (function, around)
