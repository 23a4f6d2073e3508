"""The emulator's Management API and webhooks, compared with the recordings."""

import hashlib
import hmac
import json
import re

import pytest

from tests.recorded import recording

from .exchanges import recorded, shape

REFUSALS = [
    "alipay_native_created_twice",
    "connector_bad_config",
    "mgmt_application_bad_uri",
    "mgmt_error_404",
    "mgmt_error_bad_token",
    "mgmt_error_duplicate_username",
    "mgmt_error_no_token",
    "mgmt_error_validation",
]
ANSWERS = [
    "alipay_native_created",
    "connectors_list",
    "keys_rotate",
    "mgmt_application_created",
    "mgmt_application_secrets",
    "mgmt_users_page",
    "sign_in_exp_patch",
    "sign_in_exp_patch_social_only",
    "wellknown_sign_in_exp",
]
# Values that differ between instances, and large values that the recordings omit.
OWN = {"id", "secret", "value", "applicationId", "createdAt", "updatedAt", "lastSignInAt", "logo", "readme"}


def without_own(value):
    """Return the value without the values that differ between instances."""
    if isinstance(value, dict):
        return [(key, None if key in OWN else without_own(inner)) for key, inner in value.items()]
    return [without_own(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", REFUSALS)
def test_errors_match_recording_exactly(management, name):
    ours, theirs = getattr(management, name)(), recorded(name)
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert json.dumps(ours.body) == json.dumps(theirs.body)


@pytest.mark.parametrize("name", ANSWERS)
def test_responses_match_recording_except_own_values(management, name):
    ours, theirs = getattr(management, name)(), recorded(name)
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert shape(ours.body) == shape(theirs.body)
    assert without_own(ours.body) == without_own(theirs.body)


def test_page_headers_match_recording(management):
    ours, theirs = management.mgmt_users_page(), recorded("mgmt_users_page")
    assert ours.headers["Total-Number"] == theirs.headers["Total-Number"]
    port = management.emulator.endpoint.rpartition(":")[2]
    assert ours.headers["Link"].replace(port, "3001") == theirs.headers["Link"]


def test_ids_and_secrets_have_recorded_format(management):
    for exchange in (management.mgmt_application_created(), recorded("mgmt_application_created")):
        assert re.fullmatch(r"[0-9a-z]{21}", exchange.body["id"])
        assert re.fullmatch(r"#internal:[0-9A-Za-z]{32}", exchange.body["secret"])
    for exchange in (management.mgmt_application_secrets(), recorded("mgmt_application_secrets")):
        assert re.fullmatch(r"[0-9A-Za-z]{32}", exchange.body[0]["value"])
    for exchange in (management.alipay_native_created(), recorded("alipay_native_created")):
        assert re.fullmatch(r"[0-9a-z]{12}", exchange.body["id"])


def test_created_webhook_matches_recording(management):
    ours, theirs = management.hook_created(), recording("hook_created")
    assert ours.status == 201
    assert shape(ours.body) == shape(theirs)
    assert re.fullmatch(r"[0-9A-Za-z]{32}", ours.body["signingKey"])


def test_deliveries_match_recording(management):
    ours, theirs = management.webhooks(), recording("webhooks")
    assert [each.payload["event"] for each in ours] == [json.loads(each["body"])["event"] for each in theirs]
    for mine, their in zip(ours, theirs, strict=True):
        assert shape(mine.payload) == shape(json.loads(their["body"]))
        assert mine.path == their["path"]
        assert their["headers"].keys() - {"host"} <= mine.headers.keys()
        for name in ("user-agent", "content-type", "accept"):
            assert mine.headers[name] == their["headers"][name]


def test_signature_covers_the_raw_body(management):
    ours = [(each.body, each.headers["logto-signature-sha-256"]) for each in management.webhooks()]
    theirs = [(each["body"].encode(), each["headers"]["logto-signature-sha-256"]) for each in recording("webhooks")]
    for deliveries, key in ((ours, management.signing_key), (theirs, recording("hook_created")["signingKey"])):
        for body, signature in deliveries:
            assert signature == hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def test_data_events_describe_their_request(management):
    for mine, their in zip(management.webhooks(), recording("webhooks"), strict=True):
        ours, theirs = mine.payload, json.loads(their["body"])
        for name in ("method", "status", "matchedRoute", "ip", "userIp", "interactionEvent"):
            assert ours.get(name) == theirs.get(name)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", ours["createdAt"])
