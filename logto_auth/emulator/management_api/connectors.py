"""`/api/connectors` and `/api/connector-factories` (logto.md, 7.9 and 8.1)."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.json_columns import jsonb
from logto_auth.emulator.social_connectors import FACTORIES, Connector, ConnectorFactory
from logto_auth.emulator.tenant import DuplicateError, Tenant

from .errors import APIError, invalid_config, not_found
from .routing import body, route
from .schemas import Misfit, Schema, anything, boolean, choice, nullable, object_of, optional, text

_LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/%3E"

_metadata = object_of(
    target=optional(text(at_least=1)),
    name=optional(anything),
    logo=optional(text()),
    logoDark=optional(nullable(text())),
)
_changeable = {
    "config": optional(anything),
    "metadata": optional(_metadata),
    "syncProfile": optional(boolean),
    "enableTokenStorage": optional(boolean),
}


def shown(connector: Connector) -> dict[str, Any]:
    """Return a connector as the API shows it: its secrets too, in clear."""
    return {
        "id": connector.id,
        "syncProfile": connector.sync_profile,
        "enableTokenStorage": connector.enable_token_storage,
        "config": jsonb(connector.config),
        "metadata": connector.metadata,
        "connectorId": connector.factory.id,
        **_described(connector.factory),
        **connector.metadata,
        "platform": connector.factory.platform,
        "type": "Social",
        "isDemo": False,
        "extraInfo": {},
    }


def shown_publicly(connector: Connector) -> dict[str, Any]:
    """Return what the sign-in page is told of a connector."""
    full = shown(connector)
    return {name: full[name] for name in ("id", "target", "name", "logo", "logoDark", "platform")}


@route("GET", "/connector-factories")
def list_factories(tenant: Tenant) -> list[dict[str, Any]]:
    return [_shown_factory(factory) for factory in FACTORIES.values()]


@route("GET", "/connector-factories/:id")
def show_factory(tenant: Tenant, id: str) -> dict[str, Any]:
    if id not in FACTORIES:
        raise not_found()
    return _shown_factory(FACTORIES[id])


@route("GET", "/connectors")
def list_connectors(tenant: Tenant) -> list[dict[str, Any]]:
    targets = request.args.getlist("target")
    connectors = tenant.sign_in_experience.connector_instances.values()
    return [shown(each) for each in connectors if not targets or each.target in targets]


@route("POST", "/connectors")
def create_connector(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(connectorId=text(), **_changeable, id=optional(text(at_least=1))))
    connectors = tenant.sign_in_experience.connector_instances
    if given["connectorId"] not in FACTORIES:
        raise APIError("connector.not_found_with_connector_id")
    factory = FACTORIES[given["connectorId"]]
    if not factory.is_standard and any(each.factory is factory for each in connectors.values()):
        raise APIError("connector.multiple_instances_not_supported")
    if factory.is_standard and "target" not in given.get("metadata", {}):
        raise APIError("connector.should_specify_target", 400)
    if given.get("id") in connectors:
        raise DuplicateError("entity.unique_integrity_violation")
    connector = Connector(factory, **({"id": given["id"]} if "id" in given else {}))
    _change(tenant, connector, given)
    connectors[connector.id] = connector
    return shown(connector)


@route("GET", "/connectors/:id")
def show_connector(tenant: Tenant, id: str) -> dict[str, Any]:
    return shown(_existing(tenant, id))


@route("PATCH", "/connectors/:id")
def change_connector(tenant: Tenant, id: str) -> dict[str, Any]:
    connector = _existing(tenant, id)
    _change(tenant, connector, body(object_of(**_changeable)))
    return shown(connector)


@route("DELETE", "/connectors/:id", status=204)
def delete_connector(tenant: Tenant, id: str) -> None:
    connector, experience = _existing(tenant, id), tenant.sign_in_experience
    del experience.connector_instances[connector.id]
    left = {each.target for each in experience.connector_instances.values()}
    experience.targets = [target for target in experience.targets if target in left]


def _change(tenant: Tenant, connector: Connector, given: dict[str, Any]) -> None:
    """Take over what is given; the config is replaced as a whole, with the keys that the factory does not know."""
    factory = connector.factory
    if "metadata" in given and not factory.is_standard:
        raise APIError("connector.cannot_overwrite_metadata_for_non_standard_connector", 400)
    if given.get("enableTokenStorage") and not factory.is_standard:
        raise APIError("connector.token_storage_not_supported")
    if "config" in given:
        _check_config(factory, given["config"])
    metadata = given.get("metadata", connector.metadata)
    others = [each for each in tenant.sign_in_experience.connector_instances.values() if each is not connector]
    if any((each.target, each.factory.platform) == (metadata.get("target"), factory.platform) for each in others):
        raise APIError("connector.multiple_target_with_same_platform")
    connector.config = given.get("config", connector.config)
    connector.metadata = metadata
    connector.sync_profile = given.get("syncProfile", connector.sync_profile)
    connector.enable_token_storage = given.get("enableTokenStorage", connector.enable_token_storage)


def _check_config(factory: ConnectorFactory, config: dict[str, Any]) -> None:
    try:
        object_of(**{item["key"]: _item_schema(factory, item) for item in factory.form_items})(config, ())
    except Misfit as misfit:
        raise invalid_config(misfit.issues) from None


def _item_schema(factory: ConnectorFactory, item: dict[str, Any]) -> Schema:
    if item["type"] == "Select":
        schema = choice(*(option["value"] for option in item["selectItems"]))
    else:
        schema = text(at_most=factory.lengths.get(item["key"]))
    return optional(schema) if item["key"] in factory.optional_keys else schema


def _existing(tenant: Tenant, connector_id: str) -> Connector:
    connectors = tenant.sign_in_experience.connector_instances
    if connector_id not in connectors:
        raise not_found()
    return connectors[connector_id]


def _shown_factory(factory: ConnectorFactory) -> dict[str, Any]:
    return {"id": factory.id, **_described(factory), "platform": factory.platform, "type": "Social", "isDemo": False}


def _described(factory: ConnectorFactory) -> dict[str, Any]:
    return {
        "target": factory.target,
        "name": dict(factory.name),
        "description": dict(factory.description),
        "logo": _LOGO,
        "logoDark": None,
        "readme": f"# {factory.name['en']}",
        "formItems": list(factory.form_items),
        **({"isStandard": True} if factory.is_standard else {}),
    }
