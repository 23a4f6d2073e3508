"""A person with an app on a phone, for tests: a web view with Logto's native SDK, and Alipay's own app beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from logto_auth.emulator.pages.alipay_app import ALIPAY_APP_PATH
from logto_auth.emulator.pages.native_sdk import NATIVE_SDK_HEADER, native_sdk_header
from logto_auth.emulator.server import Emulator

from .browser import Visitor
from .page_reader import text_of


class NativeVisitor(Visitor):
    """A person with an app: a `Visitor` whose every request bears the mark of Logto's native SDK.

    `native_targets` are the providers whose own apps it can open. A callback may have the app's own scheme.
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

    def sign_in_with_alipay(
        self,
        authorization_url: str,
        alipay_user_id: str,
        *,
        nick_name: str | None = None,
        avatar: str | None = None,
    ) -> str:
        """Sign in by Alipay's app and return the callback's address."""
        response = self._open_alipay(authorization_url)
        message = json.loads(text_of(response, "id", "native-sdk-message"))
        account = {"alipay_user_id": alipay_user_id, "nick_name": nick_name or "", "avatar": avatar or ""}
        answer = self._ask_alipay(message["redirectTo"], account)
        return self._callback(self.open(f"{message['callbackUri']}?{urlencode(answer)}"))

    def _ask_alipay(self, alipay_uri: str, account: dict[str, str]) -> dict[str, str]:
        """Return what Alipay's app answers when it is opened with this address and the person agrees."""
        parameters = dict(parse_qsl(urlsplit(alipay_uri).query))
        url = f"{self.endpoint}{ALIPAY_APP_PATH}"
        response = self.session.post(url, data=parameters | account, timeout=30)
        response.raise_for_status()
        answer: dict[str, str] = response.json()
        return answer
