"""Connectors by command. Those that others have made are not touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from .sites import Site
from .tenant_api import TenantAPI

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def test_factories(shop: Site) -> None:
    """Every factory is listed and has a form, also those whose form is empty at Logto."""
    listed = shop.command("logto_connectors", "factories")
    factories = shop.target.api.get("connector-factories")
    assert all(each["id"] in listed for each in factories)
    assert "privateKey" in shop.command("logto_connectors", "factories", "alipay-web")
    for factory in factories:
        if not factory.get("formItems"):
            shop.command("logto_connectors", "factories", factory["id"])


def test_alipay(shop: Site, tmp_path: Path) -> None:
    api = shop.target.api
    factories = ["alipay-web", "alipay-native"]
    if any(each["connectorId"] in factories for each in api.get("connectors")):
        pytest.skip("the tenant already has a connector for Alipay")
    key = tmp_path / "private.pem"
    shop.command("logto_connectors", "alipay-keys", "--out", str(key))
    arguments = ["--app-id", "2021000000000000", "--private-key-file", str(key), "--sign-type", "RSA2"]
    made = []
    try:
        for factory in factories:
            made.append(shop.command_json("logto_connectors", "add", factory, *arguments)["id"])
        shown = shop.command("logto_connectors", "show", made[0])
        assert "2021000000000000" in shown
        assert "PRIVATE KEY" not in shown
        shop.command("logto_connectors", "enable", "alipay")
        assert "alipay" in api.get("sign-in-exp")["socialSignInConnectorTargets"]
        shop.command("logto_connectors", "disable", "alipay")
        assert "alipay" not in api.get("sign-in-exp")["socialSignInConnectorTargets"]
        shop.command("logto_connectors", "remove", made[0], "--yes")
        assert made[0] not in ids(api)
    finally:
        for connector_id in set(made) & ids(api):
            api.delete(f"connectors/{connector_id}")


def ids(api: TenantAPI) -> set[str]:
    """Return the ids of all connectors of the tenant."""
    return {each["id"] for each in api.get("connectors")}
