"""The changes of the sign-in page, compared with recorded requests."""

from __future__ import annotations

import json

from logto_auth.connectors.sign_in_page import (
    SOCIAL_ONLY,
    TARGETS,
    browser_targets,
    requires_sign_up_identifier,
    with_target,
)
from tests.recorded import recording


def test_changes_equal_the_recorded_requests() -> None:
    fresh = {**recording("sign_in_exp_patch")["body"], TARGETS: []}
    for name, emptied in (("sign_in_exp_patch", None), ("sign_in_exp_patch_social_only", SOCIAL_ONLY)):
        assert with_target(fresh, "alipay", emptied=emptied) == json.loads(recording(name)["request"]["body"])
    assert with_target(recording("sign_in_exp_patch_social_only")["body"], "alipay", emptied=SOCIAL_ONLY) == {}


def test_social_users_need_an_identifier_unless_skipped() -> None:
    fresh = recording("sign_in_exp_patch")["body"]
    assert requires_sign_up_identifier(fresh) == ["username"]
    assert requires_sign_up_identifier({**fresh, "socialSignIn": {"skipRequiredIdentifiers": True}}) == []
    assert requires_sign_up_identifier(recording("sign_in_exp_patch_social_only")["body"]) == []


def test_native_connector_is_not_shown_in_browsers() -> None:
    assert browser_targets(recording("connectors_list")["body"], ["alipay"]) == []
