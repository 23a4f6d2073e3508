"""The emulator's Management API and webhooks, compared with the recordings of 1.41 and of 1.42."""

import hashlib
import hmac
import json
import re

import pytest

from tests.recorded import recording

from .exchanges import Exchange, shape
from .recorded_on_head import FOLDERS, of_version, recorded_for
from .replay_management import ManagementReplay

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


@pytest.fixture
def management(version, emulator):
    """The Management API of an emulator like each version, with the settings of the recorded Logto."""
    replay = ManagementReplay(emulator, FOLDERS[version])
    yield replay
    replay.close()


def recorded(management, name):
    """Return the recorded value as the emulated version shows it."""
    return recorded_for(name, management.emulator.like)


def recorded_exchange(management, name):
    data = recorded(management, name)
    return Exchange(data["status"], data["headers"], data["body"], None, "http://localhost:3001/oidc")


def without_own(value):
    """Return the value without the values that differ between instances."""
    if isinstance(value, dict):
        return [(key, None if key in OWN else without_own(inner)) for key, inner in value.items()]
    return [without_own(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", REFUSALS)
def test_errors_match_recording_exactly(management, name):
    ours, theirs = getattr(management, name)(), recorded_exchange(management, name)
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert json.dumps(ours.body) == json.dumps(theirs.body)


@pytest.mark.parametrize("name", ANSWERS)
def test_responses_match_recording_except_own_values(management, name):
    ours, theirs = getattr(management, name)(), recorded_exchange(management, name)
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert shape(ours.body) == shape(theirs.body)
    assert without_own(ours.body) == without_own(theirs.body)


def test_page_headers_match_recording(management):
    ours, theirs = management.mgmt_users_page(), recorded_exchange(management, "mgmt_users_page")
    assert ours.headers["Total-Number"] == theirs.headers["Total-Number"]
    port = management.emulator.endpoint.rpartition(":")[2]
    assert ours.headers["Link"].replace(port, "3001") == theirs.headers["Link"]


def test_ids_and_secrets_have_recorded_format(management):
    def both(name):
        return getattr(management, name)(), recorded_exchange(management, name)

    for exchange in both("mgmt_application_created"):
        assert re.fullmatch(r"[0-9a-z]{21}", exchange.body["id"])
        has_secret = management.emulator.like == "1.41"
        assert ("secret" in exchange.body) == has_secret
        assert not has_secret or re.fullmatch(r"#internal:[0-9A-Za-z]{32}", exchange.body["secret"])
    for exchange in both("mgmt_application_secrets"):
        assert re.fullmatch(r"[0-9A-Za-z]{32}", exchange.body[0]["value"])
    for exchange in both("alipay_native_created"):
        assert re.fullmatch(r"[0-9a-z]{12}", exchange.body["id"])


def test_created_webhook_matches_recording(management):
    ours, theirs = management.hook_created(), recorded(management, "hook_created")
    assert ours.status == 201
    assert shape(ours.body) == shape(theirs)
    assert re.fullmatch(r"[0-9A-Za-z]{32}", ours.body["signingKey"])


def payloads(management):
    """Return our deliveries with the recorded ones, and the payloads of these as the emulated version shows them."""
    recorded_deliveries = recording("webhooks", management.version)
    for mine, their in zip(management.webhooks(), recorded_deliveries, strict=True):
        yield mine, their, of_version(json.loads(their["body"]), management.emulator.like)


def test_deliveries_match_recording(management):
    for mine, their, payload in payloads(management):
        assert shape(mine.payload) == shape(payload)
        assert (mine.payload["event"], mine.path) == (payload["event"], their["path"])
        assert [name for name in mine.headers if name in their["headers"]] == list(their["headers"])
        for name in ("user-agent", "content-type", "accept"):
            assert mine.headers[name] == their["headers"][name]


def test_signature_covers_the_raw_body(management):
    ours = [(each.body, each.headers["logto-signature-sha-256"]) for each in management.webhooks()]
    recorded_deliveries = recording("webhooks", management.version)
    theirs = [(each["body"].encode(), each["headers"]["logto-signature-sha-256"]) for each in recorded_deliveries]
    their_key = recording("hook_created", management.version)["signingKey"]
    for deliveries, key in ((ours, management.signing_key), (theirs, their_key)):
        for body, signature in deliveries:
            assert signature == hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def test_data_events_describe_their_request(management):
    for mine, _, theirs in payloads(management):
        ours = mine.payload
        for name in ("method", "status", "matchedRoute", "interactionEvent"):
            assert ours.get(name) == theirs.get(name)
        for name in ("ip", "userIp"):
            # The prefix is that of a socket for both protocols, on which the recorded 1.42 did not listen.
            assert without_prefix(ours.get(name)) == without_prefix(theirs.get(name))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", ours["createdAt"])


def without_prefix(address):
    return address and address.removeprefix("::ffff:")
