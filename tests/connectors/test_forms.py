"""Configs by the form of their factory: what is given as text, what is left open, what must not be shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logto_auth.connectors.forms import MASK, complete_config, masked, parse
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


def faults(items: list[dict[str, Any]], given: dict[str, str], stored: dict[str, Any] | None = None) -> list[str]:
    with pytest.raises(ConnectorError) as caught:
        complete_config(items, given, stored)
    return str(caught.value).splitlines()


def test_a_default_is_taken_where_nothing_is_given() -> None:
    config = complete_config(ALIPAY, {"appId": "1", "privateKey": "key"})
    assert config == {"appId": "1", "privateKey": "key", "signType": "RSA2"}


def test_what_is_required_without_a_default_is_demanded() -> None:
    assert faults(ALIPAY, {"appId": "1"}) == [
        'privateKey: is required, and has no default. Expected "Private Key", such as "<private-key>".'
    ]


def test_an_example_is_no_default() -> None:
    assert faults(SMTP, {"host": "h", "port": "25"}) == [
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


def test_defaults_are_not_shared() -> None:
    given = {"host": "h", "port": "25", "auth": '{"user": "u"}'}
    complete_config(SMTP, given)["templates"].clear()
    assert complete_config(SMTP, given)["templates"]


def test_a_key_that_the_form_does_not_have_is_refused() -> None:
    """Logto would keep it, and hand it on to Alipay."""
    given = {"appId": "1", "privateKey": "key", "charset": "gbk", "appid": "2"}
    assert faults(ALIPAY, given) == [
        "charset: the form has no such key. It has appId, privateKey, signType.",
        "appid: the form has no such key. It has appId, privateKey, signType.",
    ]


def test_what_is_stored_stays_unless_it_is_given_anew() -> None:
    stored = {"appId": "1", "privateKey": "key", "signType": "RSA", "charset": "gbk"}
    assert complete_config(ALIPAY, {"appId": "2"}, stored) == {**stored, "appId": "2"}
    assert stored["appId"] == "1"


def test_what_is_given_as_empty_goes() -> None:
    assert complete_config(PROMPTS, {"prompts": ""}, {"prompts": ["login"]}) == {}


def test_all_faults_are_told_at_once() -> None:
    assert [line.partition(":")[0] for line in faults(SMTP, {"port": "x", "secure": "on", "tls": "{"})] == [
        "port",
        "secure",
        "tls",
        "host",
        "auth",
    ]


def test_what_is_hidden_is_neither_demanded_nor_taken() -> None:
    assert complete_config(SAML, {}) == {"sign": False}
    assert complete_config(SAML, {"sign": "true", "privateKey": "key"}) == {"sign": True, "privateKey": "key"}
    assert faults(SAML, {"sign": "true"})[0].startswith("privateKey: is required")
    assert faults(SAML, {"privateKey": "key"}) == ["privateKey: counts only where sign is true."]


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
        ("Colour", "of a later Logto", "of a later Logto"),
    ],
)
def test_text_becomes_what_the_form_asks_for(kind: str, text: str, value: Any) -> None:
    parsed = parse(item("key", kind), text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("Number", "25 ", "this does not fit. Expected a number."),
        ("Number", "٢٥", "this does not fit. Expected a number."),
        ("Number", "NaN", "this does not fit. Expected a number."),
        ("Switch", "yes", "this does not fit. Expected true or false."),
        ("Json", "{'a': 1}", "is not JSON, line 1 column 2. Expected JSON."),
        ("Json", "[" * 100_000, "is not JSON. Expected JSON."),
    ],
)
def test_text_that_does_not_fit_is_refused(kind: str, text: str, message: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        parse(item("key", kind), text)
    assert str(caught.value) == message


def test_a_choice_has_to_be_one_of_those_offered() -> None:
    assert complete_config(PROMPTS, {"prompts": "login, none"}) == {"prompts": ["login", "none"]}
    assert faults(PROMPTS, {"prompts": "login,select"}) == [
        "prompts: this does not fit. Expected some of none, consent, login, with commas between."
    ]
    assert faults(ALIPAY, {"appId": "1", "privateKey": "key", "signType": "RSA3"}) == [
        "signType: this does not fit. Expected one of RSA, RSA2."
    ]


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_what_is_required_must_not_be_empty(empty: str) -> None:
    assert faults(ALIPAY, {"appId": empty, "privateKey": "key"}) == [
        'appId: is required, and has no default. Expected "App ID", such as "<app-id-with-maximum-length-16>".'
    ]
    assert faults(SMTP, {"host": "h", "port": "1", "auth": "{}"})[0].startswith("auth: is required")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    kind=st.sampled_from(["Text", "MultilineText", "Number", "Switch", "Json"]),
    text=st.text(max_size=60) | st.integers().map(str) | st.sampled_from(["true", "{}", "[]", "null", '"x"']),
)
def test_any_text_is_either_of_its_kind_or_refused(kind: str, text: str) -> None:
    kinds = {"Number": (int, float), "Switch": bool, "Text": str, "MultilineText": str, "Json": object}
    try:
        outcome = parse(item("key", kind), text)
    except ConnectorError as refused:
        outcome = refused
    if isinstance(outcome, ConnectorError):
        assert len(text) < 12 or text not in str(outcome)
    else:
        assert isinstance(outcome, kinds[kind]) or (outcome == "" and not text.strip())
        json.dumps(outcome)


def test_secrets_are_masked_wherever_they_are() -> None:
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
