"""A user in the Account Center."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import requests

from logto_auth.emulator import Emulator, Visitor
from logto_auth.emulator.visitors.page_reader import forms_of, text_of


class AccountVisitor(Visitor):
    """A browser in the Account Center. `page` is the last response, which may be a redirect away from Logto."""

    page: requests.Response

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.emulator = emulator

    def go(self, path: str = "", **parameters: str) -> AccountVisitor:
        """Open a page of the Account Center, such as `email`."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        self.page = self.open(f"{self.endpoint}/account{f'/{path}' if path else ''}{query}")
        return self

    def sign_in_as(self, username: str) -> AccountVisitor:
        """Press the button of an account on the sign-in page."""
        self.page = self._press_account(self.page, username)
        return self

    def fill(self, form_id: str, **values: str) -> AccountVisitor:
        """Submit a form of the page."""
        self.page = self._submit(self.page, form_id, values)
        return self

    def verify(self, password: str) -> AccountVisitor:
        """Verify the identity with the password."""
        return self.fill("verification-password", password=password)

    @property
    def path(self) -> str:
        """The path of the page, without that of the Account Center."""
        return urlsplit(self.page.url).path.removeprefix("/account").removeprefix("/")

    @property
    def left_to(self) -> str:
        """The URL to which the browser left Logto, or ""."""
        return self.page.headers.get("Location", "")

    @property
    def forms(self) -> list[str]:
        return [form.id for form in forms_of(self.page)]

    def value_of(self, name: str) -> str:
        """Return the value of a field."""
        return dict(pair for form in forms_of(self.page) for pair in form.fields)[name]

    def text(self, attribute: str, value: str) -> str:
        """Return the text of the element with this attribute."""
        return text_of(self.page, attribute, value)

    @property
    def problem(self) -> str:
        return self.text("id", "problem")

    @property
    def alert(self) -> str:
        return self.text("role", "alert")

    @property
    def notice(self) -> str:
        return self.text("role", "status")
