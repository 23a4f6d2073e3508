"""A user's browser at a real Logto, whose pages are a script: this drives the API that the script calls."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from logto_auth.emulator import VisitFailed, Visitor, totp_code


class ExperienceVisitor(Visitor):
    """A `Visitor` at a real Logto. Source: Logto's Experience API."""

    def sign_in(
        self,
        authorization_url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        totp_secret: str = "",
        backup_code: str = "",
    ) -> str:
        """Sign in with a password and return the callback URL. Raise VisitFailed.

        The username may be omitted if the user is already signed in. The second factor is used if Logto asks for it.
        """
        page = self.open(authorization_url)
        if "Location" in page.headers or _is_consent(page):
            return self._past_consent_page(page)
        if username is None:
            raise VisitFailed("The page asks for a sign-in, but no username was given.", page)
        interaction = Interaction(self.session, page)
        interaction.begin()
        kind = "email" if "@" in username else "username"
        verification_id = interaction.verify(
            "password", {"identifier": {"type": kind, "value": username}, "password": password}
        )
        interaction.identify(verification_id)
        try:
            return self._finish(interaction)
        except VisitFailed as failure:
            if _body(failure).get("code") != "session.mfa.require_mfa_verification" or not (totp_secret or backup_code):
                raise
        if totp_secret:
            interaction.verify("totp/verify", {"code": totp_code(totp_secret)})
        else:
            interaction.verify("backup-code/verify", {"code": backup_code})
        return self._finish(interaction)

    def sign_in_with_made_up_app(self, authorization_url: str, username: str, password: str) -> str:
        """Sign in, verify a new authenticator app without adding it, and return the callback URL. Raise VisitFailed."""
        interaction = Interaction(self.session, self.open(authorization_url))
        interaction.begin()
        identifier = {"type": "username", "value": username}
        interaction.identify(interaction.verify("password", {"identifier": identifier, "password": password}))
        made_up = interaction.new_app()
        code = totp_code(made_up["secret"])
        interaction.verify("totp/verify", {"verificationId": made_up["verificationId"], "code": code})
        return self._finish(interaction)

    def sign_in_by_link(
        self,
        authorization_url: str,
        *,
        switch_account: bool = False,
        username: str | None = None,
        password: str | None = None,
    ) -> str:
        """Sign in or register with the one-time token in the URL, and return the callback URL. Raise VisitFailed.

        `username` and `password` are for the pages that ask a new user for them.
        """
        page = self.open(authorization_url)
        if "Location" in page.headers:
            return page.headers["Location"]
        query = parse_qs(urlsplit(page.url).query)
        interaction = Interaction(self.session, page)
        interaction.begin()
        email = {"type": "email", "value": query["login_hint"][0]}
        verification_id = interaction.verify(
            "one-time-token/verify", {"identifier": email, "token": query["one_time_token"][0]}
        )
        try:
            interaction.identify(verification_id)
        except VisitFailed as failure:
            if _body(failure).get("code") != "user.user_not_exist":
                raise
            interaction.register(verification_id, username=username, password=password)
        return self._finish(interaction)

    def _finish(self, interaction: Interaction) -> str:
        return self._past_consent_page(self.open(interaction.submit()))

    def _past_consent_page(self, page: requests.Response) -> str:
        """Return the callback URL. Consent first if the page asks a user of a third-party application for it."""
        if _is_consent(page):
            page = self.open(Interaction(self.session, page).consent())
        if "Location" not in page.headers:
            raise VisitFailed("The visit ended on a page instead of the callback.", page)
        return page.headers["Location"]


class Interaction:
    """One sign-in or registration at Logto, which a page of it has begun."""

    def __init__(self, session: requests.Session, page: requests.Response) -> None:
        self._session = session
        parts = urlsplit(page.url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._url = f"{self._origin}/api/experience"
        # The page's script sends it. Logto keeps one interaction for each application.
        self._headers = {"Logto-App-Id": parse_qs(parts.query).get("app_id", [""])[0]}

    def begin(self) -> None:
        self._call("PUT", "", {"interactionEvent": "SignIn"})

    def verify(self, kind: str, proof: dict[str, Any]) -> str:
        """Return the id of the verification that this proof has passed."""
        verification_id: str = self._call("POST", f"/verification/{kind}", proof)["verificationId"]
        return verification_id

    def new_app(self) -> dict[str, str]:
        """Return the secret of a new authenticator app, with the id of its verification."""
        made_up: dict[str, str] = self._call("POST", "/verification/totp/secret", None)
        return made_up

    def identify(self, verification_id: str) -> None:
        self._call("POST", "/identification", {"verificationId": verification_id})

    def register(self, verification_id: str, **profile: str | None) -> None:
        """Create the user. `profile` has what Logto may ask a new user for."""
        self._call("PUT", "/interaction-event", {"interactionEvent": "Register"})
        try:
            self.identify(verification_id)
        except VisitFailed as failure:
            missing = _body(failure).get("data", {}).get("missingProfile", [])
            if not missing or not all(profile.get(name) for name in missing):
                raise
            for name in missing:
                self._call("POST", "/profile", {"type": name, "value": profile[name]})
            self.identify(verification_id)

    def submit(self) -> str:
        """Return the URL at Logto where the sign-in continues."""
        redirect_to: str = self._call("POST", "/submit", None)["redirectTo"]
        return redirect_to

    def consent(self) -> str:
        """Grant what the application requests, and return the URL at Logto where the sign-in continues."""
        redirect_to: str = self._send("POST", f"{self._origin}/api/interaction/consent", {})["redirectTo"]
        return redirect_to

    def _call(self, method: str, path: str, body: object) -> Any:
        return self._send(method, self._url + path, body)

    def _send(self, method: str, url: str, body: object) -> Any:
        response = self._session.request(method, url, json=body, headers=self._headers, timeout=30)
        if response.status_code >= 400:
            raise VisitFailed(f"Logto refuses the sign-in: {response.text}", response)
        return response.json() if "json" in response.headers.get("Content-Type", "") else None


def _is_consent(page: requests.Response) -> bool:
    return urlsplit(page.url).path == "/consent"


def _body(failure: VisitFailed) -> dict[str, Any]:
    is_json = "json" in failure.response.headers.get("Content-Type", "")
    body: dict[str, Any] = failure.response.json() if is_json else {}
    return body
