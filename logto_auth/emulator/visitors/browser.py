"""A test user with a browser, which keeps cookies, follows Logto's redirects and submits Logto's forms."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests

from logto_auth.emulator.server import Emulator
from logto_auth.emulator.state.totp import STEP_SECONDS, totp_code

from .page_reader import Form, account_buttons, forms_of, self_submitting_form, text_of

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_STEPS = 20
_ALIPAY_PATH = "/direct/social/alipay"
_SET_UP_PATHS = ("/mfa-binding", "/mfa-onboarding")
_VERIFICATION_PATH, _VERIFICATION_FORM = "/mfa-verification", "mfa-verification"


class VisitFailed(AssertionError):
    """The visit ended on a page instead of the callback. `response` is that page."""

    def __init__(self, message: str, response: requests.Response) -> None:
        super().__init__(f"{message} (HTTP {response.status_code} at {response.url})")
        self.response = response


class Visitor:
    """A test user with a new browser.

    Methods return the callback URL and do not request it. After `response_mode=form_post`, `posted` has the fields
    of the form.
    """

    def __init__(self, emulator: Emulator | str) -> None:
        self.endpoint = emulator if isinstance(emulator, str) else emulator.endpoint
        self.session = requests.Session()
        # Use no proxy of the environment.
        self.session.trust_env = False
        self.posted: list[tuple[str, str]] = []

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.session.close()

    def open(self, url: str) -> requests.Response:
        """Open a URL of Logto and follow redirects, until a page needs the user or a redirect leaves Logto."""
        return self._travel("GET", url, [])

    def sign_in(
        self,
        authorization_url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        totp_secret: str = "",
        backup_code: str = "",
    ) -> str:
        """Sign in and return the callback URL. Raise VisitFailed with the message of the page.

        With a password, submit the form; without, press the button of the account. The username may be omitted if
        the user is already signed in. If a consent page follows, consent.

        `totp_secret` or `backup_code` is for the page that asks for a second factor. The visitor enters the oldest code
        of the secret that Logto still accepts. Each code is good once, so that three sign-ins are possible within 30
        seconds; `emulator.clock.advance(30)` makes a new code. A page that only suggests a second factor is skipped.
        """
        response = self._past_sign_in(authorization_url, username, password)
        response = self._past_second_factor(response, totp_secret, backup_code)
        return self._past_consent(self._complete(response))

    def sign_in_by_link(
        self,
        authorization_url: str,
        *,
        switch_account: bool = False,
        username: str | None = None,
        password: str | None = None,
        totp_secret: str = "",
        backup_code: str = "",
    ) -> str:
        """Sign in with the one-time token in the URL and return the callback URL. Raise VisitFailed.

        If another user is signed in, `switch_account` must be true. `username` and `password` are for the pages that
        ask a new user for them, `totp_secret` or `backup_code` for a second factor, as in `sign_in`.
        """
        response = self.open(authorization_url)
        if urlsplit(response.url).path == "/switch-account":
            if not switch_account:
                raise VisitFailed("Another user is signed in. Pass switch_account=True to switch.", response)
            response = self.open(_with_path(response.url, "/one-time-token"))
        response = self._past_second_factor(response, totp_secret, backup_code)
        return self._past_consent(self._past_sign_up(response, username, password))

    def sign_in_with_alipay(
        self,
        authorization_url: str,
        alipay_user_id: str,
        *,
        nick_name: str | None = None,
        avatar: str | None = None,
        username: str | None = None,
        totp_secret: str = "",
        backup_code: str = "",
    ) -> str:
        """Sign in with an Alipay account and return the callback URL. Raise VisitFailed.

        `username` is for the page that asks a new user for it, `totp_secret` or `backup_code` for a second factor, as
        in `sign_in`.
        """
        account = {"alipay_user_id": alipay_user_id, "nick_name": nick_name or "", "avatar": avatar or ""}
        response = self._use_alipay_account(self._open_alipay(authorization_url), account)
        response = self._past_second_factor(response, totp_secret, backup_code)
        return self._callback(self._past_sign_up(response, username, None))

    def choose_alipay_account(
        self,
        authorization_uri: str,
        alipay_user_id: str,
        *,
        nick_name: str | None = None,
        avatar: str | None = None,
    ) -> str:
        """Choose an account at the stand-in for Alipay, to which the Account API sent the browser.

        Return the URL to which Alipay sends the browser back. Raise VisitFailed.
        """
        account = {"alipay_user_id": alipay_user_id, "nick_name": nick_name or "", "avatar": avatar or ""}
        return self._callback(self._use_alipay_account(self.open(authorization_uri), account))

    def register(self, authorization_url: str, username: str, password: str) -> str:
        """Register a new account and return the callback URL. Raise VisitFailed."""
        response = self.open(authorization_url)
        if self._find_form(response, "register") is None:
            response = self.open(_with_path(response.url, "/register"))
        return self._callback(self._submit(response, "register", {"username": username, "password": password}))

    def cancel_consent(self, authorization_url: str, username: str | None = None, password: str | None = None) -> str:
        """Sign in, press Cancel on the consent page, and return the URL of the redirect. Raise VisitFailed."""
        response = self._past_sign_in(authorization_url, username, password)
        return self._callback(self._submit(response, "consent", button=("decision", "cancel")))

    def sign_out(self, end_session_url: str) -> str:
        """Sign out and return the post sign-out redirect URI, or the URL of Logto's own page. Raise VisitFailed."""
        response = self.open(end_session_url)
        if _leaves(response):
            return response.headers["Location"]
        if response.status_code != 200:
            raise VisitFailed(self._error_text(response), response)
        return response.url

    def _use_alipay_account(self, response: requests.Response, account: dict[str, str]) -> requests.Response:
        return self._submit(response, "alipay", account)

    def _open_alipay(self, authorization_url: str) -> requests.Response:
        """Open the page for Alipay, by the button unless the URL leads there directly."""
        response = self.open(authorization_url)
        if urlsplit(response.url).path == _ALIPAY_PATH:
            return response
        if "data-connector-target" not in response.text:
            raise VisitFailed("The page has no button for Alipay.", response)
        return self.open(_with_path(response.url, _ALIPAY_PATH))

    def _past_sign_in(self, url: str, username: str | None, password: str | None) -> requests.Response:
        response = self.open(url)
        if self._find_form(response, "sign-in") is None:
            return response
        if username is None:
            raise VisitFailed("The page asks for a sign-in, but no username was given.", response)
        if password is not None:
            return self._submit(response, "sign-in", {"identifier": username, "password": password})
        return self._press_account(response, username)

    def _past_second_factor(self, response: requests.Response, totp_secret: str, backup_code: str) -> requests.Response:
        """Fill in the page that asks for a second factor, if there is one. Raise VisitFailed."""
        if not urlsplit(response.url).path.startswith(_VERIFICATION_PATH):
            return response
        if backup_code:
            page = self.open(_with_path(response.url, f"{_VERIFICATION_PATH}/BackupCode"))
            return self._submit(page, _VERIFICATION_FORM, {"code": backup_code})
        if not totp_secret:
            message = "The page asks for a second factor, but neither totp_secret nor backup_code was given."
            raise VisitFailed(message, response)
        page = self.open(_with_path(response.url, f"{_VERIFICATION_PATH}/Totp"))
        now = _time_of(page)
        for at in (now - STEP_SECONDS, now, now + STEP_SECONDS):
            page = self._submit(page, _VERIFICATION_FORM, {"code": totp_code(totp_secret, at)})
            if 'data-code="session.mfa.invalid_totp_code"' not in page.text:
                return page
        hint = "The secret is wrong, or its codes are used: emulator.clock.advance(30) makes a new one."
        raise VisitFailed(f"{self._error_text(page)} {hint}", page)

    def _past_set_up(self, response: requests.Response) -> requests.Response:
        """Skip the page that suggests to set up a second factor, if there is one. Raise VisitFailed."""
        path = urlsplit(response.url).path
        if self._find_form(response, "skip-mfa"):
            return self._submit(response, "skip-mfa")
        if path.startswith(_SET_UP_PATHS) and not text_of(response, "role", "alert"):
            method, what = (
                ("add_backup_codes", "backup codes") if "BackupCode" in path else ("add_totp", "a second factor")
            )
            message = f"The page asks the user to set up {what}, and lets nobody skip that."
            raise VisitFailed(f"{message} tenant.{method}(user) does it beforehand.", response)
        return response

    def _past_sign_up(
        self, response: requests.Response, username: str | None, password: str | None
    ) -> requests.Response:
        """Fill in the pages "Set username" and "Set password". Raise VisitFailed if a value for them is missing."""
        for part, value in (("username", username), ("password", password)):
            form_id = f"continue-{part}"
            if self._find_form(response, form_id) is None:
                continue
            if value is None:
                raise VisitFailed(f'Sign-up requires a {part}, which the user lacks. Pass {part}="…".', response)
            response = self._submit(response, form_id, {part: value})
        return response

    def _complete(self, response: requests.Response) -> requests.Response:
        """Return the response unless it is a page that asks an existing user for what sign-up requires."""
        for part in ("username", "password"):
            if self._find_form(response, f"continue-{part}"):
                raise VisitFailed(
                    f"Sign-up requires a {part}, which this user lacks. Give the user one, or require nothing: "
                    "tenant.sign_in_experience.sign_up_identifiers = [].",
                    response,
                )
        return response

    def _past_consent(self, response: requests.Response) -> str:
        response = self._past_set_up(response)
        if self._find_form(response, "consent"):
            response = self._submit(response, "consent", button=("decision", "authorize"))
        return self._callback(response)

    def _press_account(self, response: requests.Response, username: str) -> requests.Response:
        form = self._find_form(response, "accounts")
        labels = account_buttons(response)
        if form is None or username not in labels:
            raise VisitFailed(f"The page has no button for the account {username!r}.", response)
        return self._submit(response, "accounts", button=("account", labels[username]))

    def _submit(
        self,
        response: requests.Response,
        form_id: str,
        values: dict[str, str] | None = None,
        *,
        button: tuple[str, str] | None = None,
    ) -> requests.Response:
        form = self._find_form(response, form_id)
        if form is None:
            raise VisitFailed(self._error_text(response) or f"The page has no form {form_id!r}.", response)
        fields = [(name, (values or {}).get(name, value)) for name, value in form.fields]
        return self._travel("POST", form.action, [*fields, button] if button else fields)

    def _travel(self, method: str, url: str, fields: list[tuple[str, str]]) -> requests.Response:
        """Send a request, then follow redirects and self-submitting forms within Logto."""
        self.posted = []
        for _ in range(_MAX_STEPS):
            response = self.session.request(method, url, data=fields or None, allow_redirects=False, timeout=30)
            if response.status_code in _REDIRECTS:
                method, url, fields = "GET", urljoin(url, response.headers["Location"]), []
            elif form := self_submitting_form(response):
                method, url, fields = "POST", form.action, form.fields
            else:
                return response
            if not self._at_logto(url):
                self.posted = fields
                response.headers["Location"] = url
                return response
        raise VisitFailed(f"The visit did not end after {_MAX_STEPS} redirects.", response)

    def _at_logto(self, url: str) -> bool:
        """Return whether the URL is one of Logto, as its endpoint, `localhost` or `127.0.0.1`.

        A custom scheme never is.
        """
        here, there = urlsplit(self.endpoint), urlsplit(url)
        if there.scheme != here.scheme:
            return False
        return there.hostname in {here.hostname, "localhost", "127.0.0.1"} and there.port == here.port

    def _callback(self, response: requests.Response) -> str:
        response = self._past_set_up(response)
        if not _leaves(response):
            raise VisitFailed(self._error_text(response), response)
        return response.headers["Location"]

    def _find_form(self, response: requests.Response, form_id: str) -> Form | None:
        return next((form for form in forms_of(response) if form.id == form_id), None)

    def _error_text(self, response: requests.Response) -> str:
        """Return the error of a page: its alert, or Logto's JSON."""
        if "json" in response.headers.get("Content-Type", ""):
            return response.text
        return text_of(response, "role", "alert") or "The visit ended on a page instead of the callback."


def _leaves(response: requests.Response) -> bool:
    return "Location" in response.headers


def _with_path(url: str, path: str) -> str:
    return urlsplit(url)._replace(path=path).geturl()


def _time_of(response: requests.Response) -> float:
    """Return the time of the server, in seconds: the clock of the emulator."""
    return parsedate_to_datetime(response.headers["Date"]).timestamp()
