"""Reading the emulator's pages: forms, account buttons and single texts."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Form:
    """A form of a page, with its URL and its fields."""

    def __init__(self, page_url: str, attributes: dict[str, str]) -> None:
        self.id = attributes.get("id", "")
        self.action = urljoin(page_url, attributes.get("action", page_url))
        self.fields: list[tuple[str, str]] = []


def forms_of(response: requests.Response) -> list[Form]:
    """Return the forms of a page."""
    if "html" not in response.headers.get("Content-Type", ""):
        return []
    reader = _FormReader(response.url)
    reader.feed(response.text)
    return reader.forms


def self_submitting_form(response: requests.Response) -> Form | None:
    """Return the form that the script of the page submits, or None."""
    if ".submit()" not in response.text:
        return None
    forms = forms_of(response)
    return forms[0] if forms else None


def account_buttons(response: requests.Response) -> dict[str, str]:
    """Return the user ids of the account buttons by account name."""
    reader = _AccountButtons()
    reader.feed(response.text)
    return reader.ids


def text_of(response: requests.Response, attribute: str, value: str) -> str:
    """Return the text of the first element with this attribute, or ""."""
    reader = _TextReader((attribute, value))
    reader.feed(response.text)
    return " ".join(reader.text.split())


class _FormReader(HTMLParser):
    def __init__(self, page_url: str) -> None:
        super().__init__()
        self.page_url = page_url
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(self.page_url, attributes)
            self.forms.append(self._open)
        owner = self._owner(attributes)
        if tag != "input" or owner is None or "name" not in attributes:
            return
        if attributes.get("type") not in {"checkbox", "radio"} or "checked" in attributes:
            owner.fields.append((attributes["name"], attributes.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _owner(self, attributes: dict[str, str]) -> Form | None:
        """Return the form of a control: the one that its `form` attribute names, or the open one."""
        named = attributes.get("form")
        return next((form for form in self.forms if form.id == named), None) if named else self._open


class _AccountButtons(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "button" and attributes.get("name") == "account":
            self.ids[attributes["data-account-name"]] = attributes["value"]


class _TextReader(HTMLParser):
    """Reads the text of the element with an attribute. Elements of the same tag must not be nested in it."""

    def __init__(self, attribute: tuple[str, str]) -> None:
        super().__init__()
        self.text = ""
        self._attribute = attribute
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._attribute in attrs:
            self._inside = tag

    def handle_data(self, data: str) -> None:
        self.text += data if self._inside else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""
