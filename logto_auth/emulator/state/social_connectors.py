"""Social connectors and their factories.

Of Logto's factories the emulator has the two for Alipay, the generic ones for OAuth 2.0 and OIDC, and the mock
connector of Logto's own tests. Like many custom connectors, that one has no form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from . import ids

ALIPAY_PAGE_PATH = "/stand-in/alipay"

Platform = Literal["Native", "Web", "Universal"]
ConnectorType = Literal["Social", "Email", "Sms"]

_ALIPAY_NAME = {"en": "Alipay", "zh-CN": "支付宝", "tr-TR": "Alipay", "ko": "Alipay"}
_SIGN_TYPES = [{"value": "RSA", "title": "RSA-SHA1"}, {"value": "RSA2", "title": "RSA-SHA256"}]


@dataclass(frozen=True)
class ConnectorFactory:
    """A kind of connector. `lengths` and `optional_keys` add to `form_items` what the config schema requires.

    A factory without a form has `config_template`, whose keys a config requires.
    """

    id: str
    target: str
    platform: Platform | None
    name: Mapping[str, str]
    description: Mapping[str, str]
    form_items: tuple[dict[str, Any], ...]
    type: ConnectorType = "Social"
    is_standard: bool = False
    lengths: Mapping[str, int] = field(default_factory=dict)
    optional_keys: frozenset[str] = frozenset()
    config_template: str = ""


@dataclass
class Connector:
    """A connector of the tenant."""

    factory: ConnectorFactory
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    metadata: dict[str, Any] = field(default_factory=dict)
    sync_profile: bool = False
    enable_token_storage: bool = False
    id: str = field(default_factory=ids.short_id)

    @property
    def target(self) -> str:
        return str(self.metadata.get("target", self.factory.target))


def _text(key: str, label: str, placeholder: str, *, type: str = "Text", required: bool = True) -> dict[str, Any]:
    return {"type": type, "key": key, "label": label, "placeholder": placeholder, "required": required}


def _select(key: str, label: str, items: list[dict[str, str]], default: str) -> dict[str, Any]:
    return {"type": "Select", "selectItems": items, "key": key, "label": label, "defaultValue": default}


_ALIPAY_FORM = (
    _text("appId", "App ID", "<app-id-with-maximum-length-16>"),
    _text("privateKey", "Private Key", "<private-key>", type="MultilineText"),
    _select("signType", "Signing Algorithm", _SIGN_TYPES, "RSA2"),
)
_ALIPAY_DESCRIPTION = {
    "en": "Alipay is a third-party mobile and online payment platform.",
    "zh-CN": "支付宝是一个第三方支付平台。",
    "tr-TR": "Alipay, üçüncü şahıslara ait bir mobil ve çevrimiçi ödeme platformudur.",  # noqa: RUF001 - Turkish
    "ko": "Alipay는 서드파티 모바일 및 온라인 결제 플랫폼 입니다.",
}
_CLIENT_FORM = (
    _text("clientId", "Client ID", "<client-id>"),
    _text("clientSecret", "Client Secret", "<client-secret>"),
    _text("authorizationEndpoint", "Authorization Endpoint", "<authorization-endpoint>"),
    _text("tokenEndpoint", "Token Endpoint", "<token-endpoint>"),
)

FACTORIES = {
    factory.id: factory
    for factory in (
        ConnectorFactory(
            "alipay-native", "alipay", "Native", _ALIPAY_NAME, _ALIPAY_DESCRIPTION, _ALIPAY_FORM, lengths={"appId": 16}
        ),
        ConnectorFactory(
            "alipay-web",
            "alipay",
            "Web",
            _ALIPAY_NAME,
            _ALIPAY_DESCRIPTION,
            (
                *_ALIPAY_FORM,
                _select(
                    "charset", "Charset", [{"value": "gbk", "title": "gbk"}, {"value": "utf8", "title": "utf8"}], "utf8"
                ),
                _text("scope", "Scope", "<scope>", required=False),
            ),
            lengths={"appId": 16},
            optional_keys=frozenset({"charset", "scope"}),
        ),
        ConnectorFactory(
            "oauth2",
            "oauth2",
            "Universal",
            {"en": "OAuth 2.0"},
            {"en": "Any OAuth 2.0 provider."},
            (*_CLIENT_FORM, _text("userInfoEndpoint", "User Info Endpoint", "<userinfo-endpoint>")),
            is_standard=True,
        ),
        ConnectorFactory(
            "oidc",
            "oidc",
            "Universal",
            {"en": "OpenID Connect"},
            {"en": "Any OpenID Connect provider."},
            _CLIENT_FORM,
            is_standard=True,
        ),
        ConnectorFactory(
            "mock-social-connector",
            "mock-social",
            "Universal",
            {"en": "Mock Social", "zh-CN": "Mock 社交登录", "ko": "Mock Social", "tr-TR": "Mock Social"},
            {"en": "Social mock connector description"},
            (),
            config_template='{\n  "clientId": "<client-id>",\n  "clientSecret": "<client-secret>"\n}\n',
        ),
    )
}


def social_authorization_uri(
    connector: Connector, *, state: str, redirect_uri: str, scope: str | None, endpoint: str
) -> str:
    """Return the URL to which a browser goes to prove an account at the social provider.

    Alipay's page is a stand-in at `endpoint`, with the parameters of the real one.
    """
    config = connector.config
    if connector.factory.id == "alipay-native":
        # As at Logto: without a redirect URI and a scope.
        return f"alipay://?app_id={config['appId']}&state={state}"
    if connector.factory.id == "alipay-web":
        scope = scope or config.get("scope") or "auth_user"
        query = {"app_id": config["appId"], "redirect_uri": redirect_uri, "scope": scope, "state": state}
        return f"{endpoint}{ALIPAY_PAGE_PATH}?{urlencode(query)}"
    if connector.factory.id == "mock-social-connector":
        query = {"state": state, "redirect_uri": redirect_uri, "scope": scope or "email profile"}
        return f"http://mock-social/?{urlencode(query)}"
    query = {
        "response_type": "code",
        "client_id": config["clientId"],
        "scope": scope or config.get("scope", ""),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{config['authorizationEndpoint']}?{urlencode(query)}"


def stand_in(factory_id: str) -> Connector:
    """Return a connector with a fixed id for its factory, and with a config in the format of Alipay."""
    factory = FACTORIES[factory_id]
    config = {"appId": "2021000000000000", "privateKey": "", "signType": "RSA2"}
    return Connector(factory, config, id=factory_id.replace("-", "").ljust(12, "0"))
