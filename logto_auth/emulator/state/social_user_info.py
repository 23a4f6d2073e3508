"""What a connector reads from the answer of a social provider.

Source: recorded from Logto 1.42 with its mock connector; for Alipay the answers of the connector.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from .json_columns import jsonb
from .records import AlipayAccount
from .refusals import Refused
from .sign_in_rules import alipay_identity
from .social_connectors import Connector

_MOCK_KEYS = ("email", "phone", "name", "avatar")


def user_info_of(
    connector: Connector, answer: Mapping[str, Any], alipay_auth_codes: dict[str, AlipayAccount]
) -> dict[str, Any]:
    """Return the account that the answer proves, with its `id` and the raw data. An auth code of Alipay works once.

    Raise Refused for an answer that the connector does not accept. No connector here compares the `state`.
    """
    if connector.target == "alipay":
        return _alipay_user_info(connector, answer, alipay_auth_codes)
    if connector.factory.id == "mock-social-connector":
        return _mock_user_info(answer)
    # The emulator asks no other provider for tokens.
    raise Refused("connector.not_implemented", 501, method="getUserInfo")


def _alipay_user_info(
    connector: Connector, answer: Mapping[str, Any], auth_codes: dict[str, AlipayAccount]
) -> dict[str, Any]:
    auth_code = answer.get("auth_code")
    if not isinstance(auth_code, str):
        code = "connector.general" if connector.factory.platform == "Native" else "connector.invalid_response"
        raise Refused(code, data={"message": _compact(answer)})
    account = auth_codes.pop(auth_code, None)
    if account is None:
        raise Refused("connector.social_auth_code_invalid", 401)
    details: dict[str, Any] = alipay_identity(account.user_id, account.nick_name, account.avatar)["details"]
    return details


def _mock_user_info(answer: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: answer[name] for name in ("code", "userId", *_MOCK_KEYS) if name in answer}
    if "code" not in known or not all(isinstance(value, str) for value in known.values()):
        raise Refused("connector.invalid_response", data={"message": _compact(answer)})
    reported = {name: known[name] for name in _MOCK_KEYS if name in known}
    return {"id": known.get("userId", f"mock-social-sub-{uuid4()}"), **reported, "rawData": jsonb(dict(answer))}


def _compact(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
