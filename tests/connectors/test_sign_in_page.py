"""The changes of the sign-in page, compared with recorded requests."""

from __future__ import annotations

import json

from logto_auth.connectors.sign_in_page import TARGETS, browser_targets, with_target
from tests.recorded import recording


def test_changes_equal_the_recorded_requests() -> None:
    fresh = {**recording("sign_in_exp_patch")["body"], TARGETS: []}
    for name, social_only in (("sign_in_exp_patch", False), ("sign_in_exp_patch_social_only", True)):
        assert with_target(fresh, "alipay", social_only=social_only) == json.loads(recording(name)["request"]["body"])
    assert with_target(recording("sign_in_exp_patch_social_only")["body"], "alipay", social_only=True) == {}


def test_native_connector_is_not_shown_in_browsers() -> None:
    assert browser_targets(recording("connectors_list")["body"], ["alipay"]) == []
