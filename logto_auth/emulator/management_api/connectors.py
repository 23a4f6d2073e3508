"""`/api/connectors` and `/api/connector-factories`."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, invalid_config
from logto_auth.emulator.api.schemas import (
    Misfit,
    Path,
    Schema,
    anything,
    boolean,
    choice,
    list_of,
    nullable,
    number,
    object_of,
    optional,
    text,
    union,
)
from logto_auth.emulator.state.json_columns import cleaned, jsonb
from logto_auth.emulator.state.message_connectors import MESSAGE_FACTORIES, TEST_CODE, USAGE_TYPES, SentMessage
from logto_auth.emulator.state.social_connectors import FACTORIES as SOCIAL_FACTORIES
from logto_auth.emulator.state.social_connectors import Connector, ConnectorFactory
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import DuplicateError

from .lookup import existing
from .routing import route

FACTORIES = {**SOCIAL_FACTORIES, **MESSAGE_FACTORIES}
_LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/%3E"

_TOKEN_KEYS = ("clientId", "clientSecret", "refreshToken", "accessToken", "accessUrl")

_PUBLIC = ("id", "target", "name", "logo", "logoDark", "platform", "isTokenStorageSupported")

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
_test_message = object_of(
    phone=optional(text(pattern=r"^\d+$")),
    email=optional(text(pattern=r"^\S+@\S+\.\S+$")),
    config=anything,
    locale=optional(text()),
)


def as_json(connector: Connector) -> dict[str, Any]:
    """Return a connector as the API shows it, with its secrets in clear text."""
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
        **_token_storage(connector.factory),
        "type": connector.factory.type,
        "isDemo": False,
        "extraInfo": {},
    }


def as_public_json(connector: Connector) -> dict[str, Any]:
    """Return the fields of a connector that the sign-in page needs."""
    full = as_json(connector)
    return {name: full[name] for name in _PUBLIC if name in full}


@route("GET", "/connector-factories")
def list_factories(tenant: Tenant) -> list[dict[str, Any]]:
    return [_factory_as_json(factory) for factory in FACTORIES.values()]


@route("GET", "/connector-factories/:id")
def show_factory(tenant: Tenant, id: str) -> dict[str, Any]:
    return _factory_as_json(existing(FACTORIES, id))


@route("GET", "/connectors")
def list_connectors(tenant: Tenant) -> list[dict[str, Any]]:
    targets = request.args.getlist("target")
    connectors = tenant.sign_in_experience.connector_instances.values()
    return [as_json(each) for each in connectors if not targets or each.target in targets]


@route("POST", "/connectors")
def create_connector(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(connectorId=text(), **_changeable, id=optional(text(at_least=1))))
    connectors = tenant.sign_in_experience.connector_instances
    if given["connectorId"] not in FACTORIES:
        raise APIError("connector.not_found_with_connector_id")
    factory = FACTORIES[given["connectorId"]]
    is_social = factory.type == "Social"
    if is_social and not factory.is_standard and any(each.factory is factory for each in connectors.values()):
        raise APIError("connector.multiple_instances_not_supported")
    if factory.is_standard and "target" not in given.get("metadata", {}):
        raise APIError("connector.should_specify_target", 400)
    if given.get("id") in connectors:
        raise DuplicateError("entity.unique_integrity_violation")
    connector = Connector(factory, **({"id": given["id"]} if "id" in given else {}))
    _change(tenant, connector, given)
    if not is_social:
        for replaced in [each for each in connectors.values() if each.factory.type == factory.type]:
            del connectors[replaced.id]
    connectors[connector.id] = connector
    return as_json(connector)


@route("POST", "/connectors/:factoryId/test", status=204)
def send_test_message(tenant: Tenant, factory_id: str) -> None:
    """Send a test message with the given config. No connector needs to exist."""
    given = body(_test_message)
    if not {"phone", "email"} & given.keys():
        raise APIError("guard.invalid_input", 400)
    if factory_id not in MESSAGE_FACTORIES:
        raise APIError("connector.not_found", 400)
    factory = MESSAGE_FACTORIES[factory_id]
    if factory.type != ("Sms" if "phone" in given else "Email"):
        raise APIError("connector.unexpected_type", 400)
    _check_config(factory, given["config"])
    tenant.sent_messages.append(SentMessage(factory.id, given.get("phone") or given["email"], TEST_CODE))


@route("GET", "/connectors/:id")
def show_connector(tenant: Tenant, id: str) -> dict[str, Any]:
    return as_json(existing(tenant.sign_in_experience.connector_instances, id))


@route("PATCH", "/connectors/:id")
def change_connector(tenant: Tenant, id: str) -> dict[str, Any]:
    connector, given = existing(tenant.sign_in_experience.connector_instances, id), body(object_of(**_changeable))
    if given.get("syncProfile") and connector.factory.type != "Social":
        raise APIError("connector.invalid_type_for_syncing_profile")
    _change(tenant, connector, given)
    return as_json(connector)


@route("DELETE", "/connectors/:id", status=204)
def delete_connector(tenant: Tenant, id: str) -> None:
    connector, experience = existing(tenant.sign_in_experience.connector_instances, id), tenant.sign_in_experience
    del experience.connector_instances[connector.id]
    left = {each.target for each in experience.social_connectors}
    experience.targets = [target for target in experience.targets if target in left]


def _change(tenant: Tenant, connector: Connector, given: dict[str, Any]) -> None:
    """Change the connector as the body says, or raise APIError.

    The config is replaced as a whole, including keys that the factory does not know. Empty values are dropped from it
    after the check.
    """
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
    connector.config = cleaned(given.get("config", connector.config))
    connector.metadata = metadata
    connector.sync_profile = given.get("syncProfile", connector.sync_profile)
    connector.enable_token_storage = given.get("enableTokenStorage", connector.enable_token_storage)


def _check_config(factory: ConnectorFactory, config: dict[str, Any]) -> None:
    try:
        object_of(**_config_schemas(factory))(config, ())
    except Misfit as misfit:
        raise invalid_config(misfit.issues) from None


def _config_schemas(factory: ConnectorFactory) -> dict[str, Schema]:
    if factory.config_template:
        return {key: text() for key in json.loads(factory.config_template)}
    return {item["key"]: _item_schema(factory, item) for item in factory.form_items}


def _item_schema(factory: ConnectorFactory, item: dict[str, Any]) -> Schema:
    kinds: dict[str, Schema] = {"Number": number, "Switch": boolean, "Json": anything}
    if item["type"] == "Select":
        schema: Schema = choice(*(option["value"] for option in item["selectItems"]))
    else:
        kind = kinds.get(item["type"]) or text(at_most=factory.lengths.get(item["key"]))
        schema = _SPECIAL_ITEMS.get(item["key"], kind)
    return optional(schema) if item["key"] in factory.optional_keys else schema


def _templates(value: Any, path: Path) -> Any:
    templates = list_of(object_of(usageType=text(), content=text()))(value, path)
    missing = [usage for usage in USAGE_TYPES if usage not in {each["usageType"] for each in templates}]
    if missing:
        message = f"Template with UsageType ({', '.join(missing)}) should be provided!"
        raise Misfit({"code": "custom", "message": message, "path": list(path)})
    return value


_password_login = object_of(type=optional(choice("login", "Login", "LOGIN")), user=text(), **{"pass": text()})
_oauth2 = {"type": optional(choice("oauth2", "OAuth2", "OAUTH2")), "user": text()}
_oauth2_by_key = object_of(**_oauth2, privateKey=union(text(), anything), serviceClient=text())
_oauth2_by_token = object_of(**_oauth2, **dict.fromkeys(_TOKEN_KEYS, optional(text())), expires=optional(number))

# Items whose schema their form does not tell.
_SPECIAL_ITEMS: dict[str, Schema] = {
    "templates": _templates,
    "auth": union(union(_password_login, _oauth2_by_key), _oauth2_by_token),
}


def _factory_as_json(factory: ConnectorFactory) -> dict[str, Any]:
    return {
        "id": factory.id,
        **_described(factory),
        "platform": factory.platform,
        **_token_storage(factory),
        "type": factory.type,
        "isDemo": False,
    }


def _token_storage(factory: ConnectorFactory) -> dict[str, bool]:
    """Return the flag of the factories that can store tokens of the social provider."""
    return {"isTokenStorageSupported": True} if factory.is_standard else {}


def _described(factory: ConnectorFactory) -> dict[str, Any]:
    return {
        "target": factory.target,
        "name": dict(factory.name),
        "description": dict(factory.description),
        "logo": _LOGO,
        "logoDark": None,
        "readme": f"# {factory.name['en']}",
        **(
            {"configTemplate": factory.config_template}
            if factory.config_template
            else {"formItems": list(factory.form_items)}
        ),
        **({"isStandard": True} if factory.is_standard else {}),
    }
