"""The compose file of the guide: its parts fit together, and its settings are correct. Docker is not needed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.test import override_settings

from logto_auth import checks
from logto_auth.conf import conf
from logto_auth.doctor.addresses import examine
from logto_auth.emulator.__main__ import _parser
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.http import HTTPClient
from logto_auth.tenant import site_declaration
from logto_auth.tenant.site import site_base_urls

from .pages import BLOCKS

PAGE = "docs/how-to/docker-compose.md"
COMPOSE, KUBERNETES, EMULATOR = (
    yaml.safe_load(block.code) for block in BLOCKS if block.page == PAGE and block.language == "yaml"
)
SERVICES: dict[str, Any] = COMPOSE["services"]
WEB = SERVICES["web"]["environment"]
LOGTO = SERVICES["logto"]["environment"]


def published(service: str) -> dict[int, int]:
    """Return the ports inside of a container by those of the machine."""
    ports = (mapping.split(":") for mapping in SERVICES[service].get("ports", []))
    assert all(parts[0] == "127.0.0.1" for parts in (mapping.split(":") for mapping in SERVICES[service]["ports"]))
    return {int(outside): int(inside) for _, outside, inside in ports}


def logto_settings(environment: dict[str, str]) -> dict[str, str]:
    """Return the settings of this package, without values from other files."""
    return {name: value for name, value in environment.items() if name.startswith("LOGTO_") and "${" not in value}


@pytest.mark.parametrize(
    "names",
    [
        [name for name in WEB if name.startswith("LOGTO_")],
        [each["name"] for each in KUBERNETES["env"]],
    ],
    ids=["compose", "kubernetes"],
)
def test_every_setting_exists(names: list[str]) -> None:
    assert names
    assert set(names) <= {setting.name for setting in conf.all()}


@pytest.mark.parametrize(
    "settings",
    [logto_settings(WEB), {each["name"]: each["value"] for each in KUBERNETES["env"]}],
    ids=["compose", "kubernetes"],
)
def test_settings_pass_the_checks(settings: dict[str, str]) -> None:
    assert {"LOGTO_ENDPOINT", "LOGTO_INTERNAL_ENDPOINT", "LOGTO_BASE_URL", "LOGTO_INTERNAL_BASE_URL"} <= set(settings)
    with override_settings(**settings):
        assert checks.check_settings() == []


def test_browsers_and_logto_know_the_same_endpoint() -> None:
    assert WEB["LOGTO_ENDPOINT"] == LOGTO["ENDPOINT"]
    assert urlsplit(LOGTO["ENDPOINT"]).port in published("logto")
    assert urlsplit(LOGTO["ADMIN_ENDPOINT"]).port in published("logto")
    assert urlsplit(WEB["LOGTO_BASE_URL"]).port in published("web")


def test_internal_addresses_are_services_and_their_ports() -> None:
    for service, url in (("logto", WEB["LOGTO_INTERNAL_ENDPOINT"]), ("web", WEB["LOGTO_INTERNAL_BASE_URL"])):
        assert urlsplit(url).hostname == service
        assert urlsplit(url).port in published(service).values()
    (bound,) = re.findall(r"--bind 0\.0\.0\.0:(\d+) ", SERVICES["web"]["command"])
    assert int(bound) in published("web").values()
    assert urlsplit(LOGTO["DB_URL"].replace("${POSTGRES_PASSWORD}", "x")).hostname == WEB["POSTGRES_HOST"] == "postgres"


def test_services_wait_for_healthy_services() -> None:
    for service in SERVICES.values():
        for name, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[name]
    assert set(COMPOSE["volumes"]) == {mount.partition(":")[0] for mount in SERVICES["postgres"]["volumes"]}


def test_logto_may_call_the_site_in_the_private_network() -> None:
    assert LOGTO["OIDC_PROVIDER_SSRF_PROTECTION_DISABLED"] == "true"
    allowed = WEB["DJANGO_ALLOWED_HOSTS"].split()
    with override_settings(**logto_settings(WEB), ALLOWED_HOSTS=allowed):
        declared = site_declaration(site_base_urls([]))
        assert declared.redirect_uris == ["http://localhost:8000/callback"]
        assert declared.back_channel_logout_uri == "http://web:8000/back-channel-logout"
        assert declared.webhook_url == "http://web:8000/webhooks/logto"
        http = HTTPClient(connect_seconds=0.1, total_seconds=0.1)
        findings = [*examine(http, Addresses(conf.issuer, conf.internal_endpoint))]
    assert "Logto calls this site at http://web:8000." in [finding.message for finding in findings]


def test_every_variable_is_explained_or_has_a_default() -> None:
    (page,) = {block.page for block in BLOCKS if block.page == PAGE}
    code = next(block.code for block in BLOCKS if block.page == page and block.language == "yaml")
    for name, default in re.findall(r"\$\{(\w+)(:[-?][^}]*)?\}", code):
        assert default or name == "POSTGRES_PASSWORD"


def test_command_of_the_emulator_is_valid() -> None:
    service = EMULATOR["services"]["logto"]
    program, *arguments = service["command"].split()[1:]
    options = _parser().parse_args(service["command"].split()[3:])
    assert (program, arguments[0]) == ("-m", "logto_auth.emulator")
    assert options.expose_to_network
    assert options.host == "0.0.0.0"
    assert service["ports"] == ["127.0.0.1:3001:3001"]
    assert options.public_endpoint == "http://localhost:3001"
