"""Configs by the form of their factory: given values, defaults, errors and masked secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logto_auth.connectors.forms import MASK, complete_config, config_without_form, masked, parse
from logto_auth.exceptions import ConnectorError
from tests.recorded import recording

ALIPAY = recording("connectors_list")["body"][0]["formItems"]


def item(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": kind, "label": key.title(), **more}


SMTP = [
    item("host", "Text", required=True, placeholder="<host>"),
    item("port", "Number", required=True, placeholder="25"),
    item("auth", "Json", required=True, defaultValue={"type": "login", "user": "<username>", "pass": "<password>"}),
    item("templates", "Json", required=True, defaultValue=[{"usageType": "SignIn", "content": "{{code}}"}]),
    item("secure", "Switch", defaultValue=False),
    item("tls", "Json", defaultValue={}),
]
SAML = [
    item("sign", "Switch", defaultValue=False),
    item("privateKey", "MultilineText", required=True, showConditions=[{"targetKey": "sign", "expectValue": True}]),
]
PROMPTS = [item("prompts", "MultiSelect", selectItems=[{"value": "none"}, {"value": "consent"}, {"value": "login"}])]


def errors(items: list[dict[str, Any]], given: dict[str, str], stored: dict[str, Any] | None = None) -> list[str]:
    with pytest.raises(ConnectorError) as caught:
        complete_config(items, given, stored)
    return str(caught.value).splitlines()


def test_missing_value_gets_the_default() -> None:
    config = complete_config(ALIPAY, {"appId": "1", "privateKey": "key"})
    assert config == {"appId": "1", "privateKey": "key", "signType": "RSA2"}


def test_missing_required_value_is_an_error() -> None:
    assert errors(ALIPAY, {"appId": "1"}) == [
        'privateKey: is required, and has no default. Expected "Private Key", such as "<private-key>".'
    ]


@pytest.mark.parametrize(
    ("template", "key", "text", "value"),
    [
        ('{"port": 25}', "port", "587", 587),
        ('{"id": "<id>"}', "id", "587", "587"),
        ('{"id": "<id>"}', "other", "true", "true"),
        ("", "other", '["a"]', ["a"]),
        ("not JSON", "other", "1", "1"),
        ("[1]", "other", "{broken", "{broken"),
    ],
)
def test_template_decides_the_type_without_a_form(template: str, key: str, text: str, value: Any) -> None:
    assert config_without_form(template, {key: text}, {"kept": 1, "gone": 2, key: 0}) == {
        "kept": 1,
        "gone": 2,
        key: value,
    }
    assert config_without_form(template, {"gone": ""}, {"kept": 1, "gone": 2}) == {"kept": 1}


def test_template_value_that_is_not_json_is_an_error() -> None:
    with pytest.raises(ConnectorError, match=r"^port: is not JSON, line 1 column 1\. Expected JSON\.$"):
        config_without_form('{"port": 25}', {"port": "many"})


def test_example_with_placeholder_is_no_default() -> None:
    assert errors(SMTP, {"host": "h", "port": "25"}) == [
        'auth: is required, and has no default. Expected JSON, such as {"type": "login", "user": "<username>", '
        '"pass": "<password>"}.'
    ]
    config = complete_config(SMTP, {"host": "h", "port": "25", "auth": '{"user": "u"}'})
    assert config == {
        "host": "h",
        "port": 25,
        "auth": {"user": "u"},
        "templates": [{"usageType": "SignIn", "content": "{{code}}"}],
        "secure": False,
    }


def test_defaults_are_copied() -> None:
    given = {"host": "h", "port": "25", "auth": '{"user": "u"}'}
    complete_config(SMTP, given)["templates"].clear()
    assert complete_config(SMTP, given)["templates"]


def test_unknown_key_is_an_error() -> None:
    """Logto would store the key and send it to Alipay."""
    given = {"appId": "1", "privateKey": "key", "charset": "gbk", "appid": "2"}
    assert errors(ALIPAY, given) == [
        "charset: the form has no such key. It has appId, privateKey, signType.",
        "appid: the form has no such key. It has appId, privateKey, signType.",
    ]


def test_stored_values_stay_unless_given() -> None:
    stored = {"appId": "1", "privateKey": "key", "signType": "RSA", "charset": "gbk"}
    assert complete_config(ALIPAY, {"appId": "2"}, stored) == {**stored, "appId": "2"}
    assert stored["appId"] == "1"


def test_empty_text_removes_a_value() -> None:
    assert complete_config(PROMPTS, {"prompts": ""}, {"prompts": ["login"]}) == {}


def test_all_errors_are_reported_at_once() -> None:
    assert [line.partition(":")[0] for line in errors(SMTP, {"port": "x", "secure": "on", "tls": "{"})] == [
        "port",
        "secure",
        "tls",
        "host",
        "auth",
    ]


def test_hidden_item_is_neither_required_nor_accepted() -> None:
    assert complete_config(SAML, {}) == {"sign": False}
    assert complete_config(SAML, {"sign": "true", "privateKey": "key"}) == {"sign": True, "privateKey": "key"}
    assert errors(SAML, {"sign": "true"})[0].startswith("privateKey: is required")
    assert errors(SAML, {"privateKey": "key"}) == ["privateKey: is only used if sign is true."]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Text", " as it is ", " as it is "),
        ("MultilineText", "a\nb", "a\nb"),
        ("Number", "25", 25),
        ("Number", "-2.5", -2.5),
        ("Switch", "true", True),
        ("Switch", "False", False),
        ("Json", '{"a": [1, null]}', {"a": [1, None]}),
        ("Colour", "of a later version", "of a later version"),
    ],
)
def test_text_is_converted_to_item_type(kind: str, text: str, value: Any) -> None:
    parsed = parse(item("key", kind), text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("Number", "25 ", "this value is invalid. Expected a number."),
        ("Number", "٢٥", "this value is invalid. Expected a number."),
        ("Number", "NaN", "this value is invalid. Expected a number."),
        ("Switch", "yes", "this value is invalid. Expected true or false."),
        ("Json", "{'a': 1}", "is not JSON, line 1 column 2. Expected JSON."),
        ("Json", "[" * 100_000, "is not JSON. Expected JSON."),
    ],
)
def test_text_of_wrong_type_is_an_error(kind: str, text: str, message: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        parse(item("key", kind), text)
    assert str(caught.value) == message


def test_value_outside_the_choices_is_an_error() -> None:
    assert complete_config(PROMPTS, {"prompts": "login, none"}) == {"prompts": ["login", "none"]}
    assert errors(PROMPTS, {"prompts": "login,select"}) == [
        "prompts: this value is invalid. Expected one or more of none, consent, login, separated by commas."
    ]
    assert errors(ALIPAY, {"appId": "1", "privateKey": "key", "signType": "RSA3"}) == [
        "signType: this value is invalid. Expected one of RSA, RSA2."
    ]


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_blank_required_value_is_an_error(empty: str) -> None:
    assert errors(ALIPAY, {"appId": empty, "privateKey": "key"}) == [
        'appId: is required, and has no default. Expected "App ID", such as "<app-id-with-maximum-length-16>".'
    ]
    assert errors(SMTP, {"host": "h", "port": "1", "auth": "{}"})[0].startswith("auth: is required")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    kind=st.sampled_from(["Text", "MultilineText", "Number", "Switch", "Json"]),
    text=st.text(max_size=60) | st.integers().map(str) | st.sampled_from(["true", "{}", "[]", "null", '"x"']),
)
def test_any_text_is_converted_or_rejected(kind: str, text: str) -> None:
    kinds = {"Number": (int, float), "Switch": bool, "Text": str, "MultilineText": str, "Json": object}
    try:
        outcome = parse(item("key", kind), text)
    except ConnectorError as error:
        outcome = error
    if isinstance(outcome, ConnectorError):
        assert len(text) < 12 or text not in str(outcome)
    else:
        assert isinstance(outcome, kinds[kind]) or (outcome == "" and not text.strip())
        json.dumps(outcome)


def test_secrets_are_masked_at_any_depth() -> None:
    config = {
        "appId": "1",
        "privateKey": "key",
        "signType": "RSA2",
        "auth": {"type": "login", "user": "u", "pass": "p", "privateKey": {"key": "k", "passphrase": "p"}},
        "customHeaders": {"X-Api-Key": "k", "Authorization": "Bearer x", "X-Source": "shop"},
        "accounts": [{"appSecret": "s", "accessKeyId": "id"}],
        "tokenEndpoint": "https://idp.example/token",
        "passwordOrApiKey": "k",
        "accessToken": "",
        "note": "-----BEGIN RSA PRIVATE KEY-----\nMII",
        "goodsId": "3",
    }
    assert masked([item("goodsId", "Text", isConfidential=True)], config) == {
        "appId": "1",
        "privateKey": MASK,
        "signType": "RSA2",
        "auth": {"type": "login", "user": "u", "pass": MASK, "privateKey": MASK},
        "customHeaders": {"X-Api-Key": MASK, "Authorization": MASK, "X-Source": "shop"},
        "accounts": [{"appSecret": MASK, "accessKeyId": "id"}],
        "tokenEndpoint": "https://idp.example/token",
        "passwordOrApiKey": MASK,
        "accessToken": "",
        "note": MASK,
        "goodsId": MASK,
    }
