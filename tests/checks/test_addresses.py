"""Checks of addresses: which values are mistakes, and the correct value in the hint."""

from __future__ import annotations

from typing import Any

import pytest

from .found import ids, messages

MACHINE = {"LOGTO_M2M_APP_ID": "machine", "LOGTO_M2M_APP_SECRET": "emulatoronlysecret00000000000002"}
CUSTOM_DOMAIN = {**MACHINE, "LOGTO_ENDPOINT": "https://sign-in.shop.example"}
CLOUD = {**MACHINE, "LOGTO_ENDPOINT": "https://abc123.logto.app"}
RESOURCE = "https://abc123.logto.app/api"
OPEN_SOURCE_RESOURCE = "https://default.logto.app/api"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://logto:3001", ""),
        ("https://logto.shop.example", ""),
        ("http://logto.shop.example", "E037"),
        ("http://134744072:3001", "E037"),
        ("http://0x8080808:3001", "E037"),
        ("http://logto:3001/oidc", "E036"),
        ("http://<your-logto>:3001", "E005"),
        (None, "E001"),
        (["http://logto:3001"], "E001"),
    ],
    ids=repr,
)
def test_internal_endpoint_is_an_origin_in_a_private_network(url: Any, expected: str) -> None:
    assert ids(messages({"LOGTO_INTERNAL_ENDPOINT": url})) == expected


def test_internal_endpoint_may_equal_the_public_one() -> None:
    settings = {
        "LOGTO_ENDPOINT": "https://sign-in.shop.example",
        "LOGTO_INTERNAL_ENDPOINT": "https://sign-in.shop.example/",
    }
    assert ids(messages(settings)) == ""


def test_password_in_an_address_is_not_shown() -> None:
    names = ("LOGTO_ENDPOINT", "LOGTO_INTERNAL_ENDPOINT", "LOGTO_BASE_URL", "LOGTO_INTERNAL_BASE_URL")
    for name in (*names, "LOGTO_CONSOLE_URL"):
        for url in ("http://user:hush@logto:3001", "ftp://user:hush@logto:3001"):
            assert "hush" not in str(messages({name: url}, deploy=True))
    for name in ("LOGTO_FORMER_ENDPOINTS", "LOGTO_NEXT_ORIGINS"):
        assert "hush" not in str(messages({name: ["http://user:hush@logto:3001"]}))


UMLAUT, ASCII = "https://müller.example", "https://xn--mller-kva.example"


@pytest.mark.parametrize(
    ("settings", "id", "form"),
    [
        ({"LOGTO_ENDPOINT": UMLAUT}, "E006", ASCII),
        ({"LOGTO_ENDPOINT": f"{UMLAUT}/oidc"}, "E006", ASCII),
        ({"LOGTO_INTERNAL_ENDPOINT": UMLAUT}, "E036", ASCII),
        ({"LOGTO_BASE_URL": f"{UMLAUT}:8443"}, "E008", f"{ASCII}:8443"),
        ({"LOGTO_INTERNAL_BASE_URL": UMLAUT}, "E008", ASCII),
        ({"LOGTO_FORMER_ENDPOINTS": [UMLAUT]}, "E031", ASCII),
        ({"LOGTO_NEXT_ORIGINS": [UMLAUT]}, "E032", ASCII),
        ({"LOGTO_RESOURCES": [f"{UMLAUT}/api"]}, "E012", f"{ASCII}/api"),
        ({"LOGTO_API_RESOURCE": f"{UMLAUT}/api"}, "E016", f"{ASCII}/api"),
        ({"LOGTO_ENDPOINT": "https://例え.テスト"}, "E006", "https://xn--r8jz45g.xn--zckzah"),
        # As browsers do, and not as Python's own codec, which writes "ss".
        ({"LOGTO_ENDPOINT": "https://straße.example"}, "E006", "https://xn--strae-oqa.example"),
        (
            {
                "LOGTO_ORGANIZATION_FROM": "logto_auth.organizations.from_subdomain",
                "LOGTO_ORGANIZATION_DOMAIN": "müller.example",
            },
            "E017",
            "xn--mller-kva.example",
        ),
    ],
    ids=str,
)
def test_domain_with_other_letters_gets_its_ascii_form(settings: dict[str, Any], id: str, form: str) -> None:
    (message,) = messages(settings)
    assert message.id == f"logto_auth.{id}"
    assert f"'{form}'" in (message.hint or "")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (CLOUD, ""),
        ({**CLOUD, "LOGTO_MANAGEMENT_API_RESOURCE": RESOURCE}, ""),
        ({**CLOUD, "LOGTO_MANAGEMENT_API_RESOURCE": OPEN_SOURCE_RESOURCE}, "W020"),
        ({**CLOUD, "LOGTO_MANAGEMENT_API_RESOURCE": "https://other1.logto.app/api"}, "W020"),
        ({**CLOUD, "LOGTO_MANAGEMENT_API_RESOURCE": f"{RESOURCE}/"}, "W020"),
        # A Logto that is run by the site may have any domain.
        (CUSTOM_DOMAIN, ""),
        ({**CUSTOM_DOMAIN, "LOGTO_MANAGEMENT_API_RESOURCE": RESOURCE}, ""),
        ({**CUSTOM_DOMAIN, "LOGTO_FORMER_ENDPOINTS": ["https://abc123.logto.app"]}, "W020"),
        ({**CUSTOM_DOMAIN, "LOGTO_CONSOLE_URL": "https://cloud.logto.io/abc123/"}, "W020"),
        ({**CUSTOM_DOMAIN, "LOGTO_CONSOLE_URL": "https://logto.shop.example/console"}, ""),
        (
            {
                **CUSTOM_DOMAIN,
                "LOGTO_FORMER_ENDPOINTS": ["https://abc123.logto.app"],
                "LOGTO_MANAGEMENT_API_RESOURCE": RESOURCE,
            },
            "",
        ),
        # Without the application, no request goes to the Management API.
        (
            {
                "LOGTO_ENDPOINT": "https://sign-in.shop.example",
                "LOGTO_FORMER_ENDPOINTS": ["https://abc123.logto.app"],
                "LOGTO_M2M_APP_ID": "",
                "LOGTO_M2M_APP_SECRET": "",
            },
            "",
        ),
        ({**CLOUD, "LOGTO_INTERNAL_ENDPOINT": "https://abc123.logto.app/"}, ""),
        ({**CLOUD, "LOGTO_INTERNAL_ENDPOINT": "https://other1.logto.app"}, "W021"),
        ({**CLOUD, "LOGTO_INTERNAL_ENDPOINT": "http://logto:3001"}, "W021"),
        ({**MACHINE, "LOGTO_ENDPOINT": "https://[abc123.logto.app"}, "E006"),
    ],
    ids=str,
)
def test_settings_of_logto_cloud_fit_together(settings: dict[str, Any], expected: str) -> None:
    assert ids(messages(settings)) == expected


def test_hint_names_the_indicator_of_the_cloud_tenant() -> None:
    (message,) = messages({**CLOUD, "LOGTO_MANAGEMENT_API_RESOURCE": OPEN_SOURCE_RESOURCE})
    assert RESOURCE in (message.hint or "")
