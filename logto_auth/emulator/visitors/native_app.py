"""A test user with an app on a phone: a web view with Logto's native SDK, and the Alipay app."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from logto_auth.emulator.pages.alipay_app import ALIPAY_APP_PATH
from logto_auth.emulator.pages.native_sdk import NATIVE_SDK_HEADER, native_sdk_header
from logto_auth.emulator.server import Emulator

from .browser import Visitor
from .page_reader import text_of


class NativeVisitor(Visitor):
    """A `Visitor` that uses the web view of an app: each request has the header of Logto's native SDK.

    `native_targets` are the social providers whose apps it can open. A callback may have a custom scheme.
    """

    def __init__(
        self,
        emulator: Emulator | str,
        *,
        native_targets: Sequence[str] = ("alipay",),
        platform: Literal["ios", "android"] = "ios",
    ) -> None:
        super().__init__(emulator)
        self.session.headers[NATIVE_SDK_HEADER] = native_sdk_header(platform, native_targets)

    def _use_alipay_account(self, response: requests.Response, account: dict[str, str]) -> requests.Response:
        message = json.loads(text_of(response, "id", "native-sdk-message"))
        answer = self._ask_alipay(message["redirectTo"], account)
        return self.open(f"{message['callbackUri']}?{urlencode(answer)}")

    def _ask_alipay(self, alipay_uri: str, account: dict[str, str]) -> dict[str, str]:
        """Return the answer of the Alipay app to this URL, after the user agreed."""
        parameters = dict(parse_qsl(urlsplit(alipay_uri).query))
        url = f"{self.endpoint}{ALIPAY_APP_PATH}"
        response = self.session.post(url, data=parameters | account, timeout=30)
        response.raise_for_status()
        answer: dict[str, str] = response.json()
        return answer
