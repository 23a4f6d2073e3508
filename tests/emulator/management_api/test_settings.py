"""The account center, MFA, and settings that have no effect here: custom profile fields, uploads."""

import pytest
import requests


def code(response):
    return response.status_code, response.json()["code"]


@pytest.fixture
def nickname(api):
    body = {"name": "shoeSize", "type": "Text", "required": True, "config": {"maxLength": 3}}
    return api.made("/custom-profile-fields", body)


def test_account_center_of_new_tenant_is_off(api):
    # The demo tenant has it on.
    api.emulator.tenant.clear()
    center = api.get("/.well-known/account-center").json()
    assert (center["enabled"], center["fields"]) == (False, {})


def test_account_center_fields_are_replaced(api):
    api.patch("/account-center", {"fields": {"name": "Edit", "avatar": "ReadOnly"}})
    assert api.patch("/account-center", {"fields": {"name": "Off"}}).json()["fields"] == {"name": "Off"}


def test_custom_profile_field_is_changed_ordered_and_deleted(api, nickname):
    other = api.made("/custom-profile-fields", {"name": "site", "type": "Url", "required": False})
    assert (nickname["sieOrder"], other["sieOrder"]) == (1, 2)
    order = [{"name": "site", "sieOrder": 1}, {"name": "shoeSize", "sieOrder": 2}]
    listed = api.post("/custom-profile-fields/properties/sie-order", {"order": order}).json()
    assert [each["name"] for each in listed] == ["site", "shoeSize"]
    changed = api.put("/custom-profile-fields/site", {"type": "Url", "label": "Site", "required": True}).json()
    assert (changed["label"], changed["required"], changed["id"]) == ("Site", True, other["id"])
    assert api.delete("/custom-profile-fields/site").status_code == 204
    assert code(api.get("/custom-profile-fields/site")) == (404, "entity.not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "type": "Nope", "required": True},
        {"name": "x", "type": "Text"},
        {"name": "x", "type": "Select", "required": True},
        {"name": "x", "type": "Number", "required": True, "config": {"minValue": "1"}},
    ],
)
def test_invalid_custom_profile_fields_are_refused(api, body):
    assert code(api.post("/custom-profile-fields", body)) == (400, "guard.invalid_input")


def test_custom_profile_fields_have_unique_names(api, nickname):
    body = {"name": "shoeSize", "type": "Text", "required": True}
    assert code(api.post("/custom-profile-fields", body)) == (422, "entity.unique_integrity_violation")
    batch = [{"name": f"field{number}", "type": "Text", "required": True} for number in range(21)]
    assert code(api.post("/custom-profile-fields/batch", batch)) == (400, "guard.invalid_input")
    assert len(api.post("/custom-profile-fields/batch", batch[:2]).json()) == 2
    order = {"order": [{"name": "nope", "sieOrder": 1}]}
    answer = api.post("/custom-profile-fields/properties/sie-order", order)
    assert code(answer) == (400, "custom_profile_fields.entity_not_exists_with_names")


def test_logto_configs_of_user_are_merged(api):
    path = "/users/customer0001/logto-configs"
    assert api.get(path).json() == {
        "mfa": {"skipped": False, "skipMfaOnSignIn": False},
        "passkeySignIn": {"skipped": False},
    }
    api.patch(path, {"mfa": {"enabled": True}})
    assert api.patch(path, {"mfa": {"skipped": True}}).json()["mfa"] == {
        "skipped": True,
        "skipMfaOnSignIn": False,
        "enabled": True,
    }
    assert code(api.get("/users/nope/logto-configs")) == (404, "entity.not_found")


def test_uploads_have_no_storage(api):
    assert api.get("/user-assets/service-status").json() == {"status": "not_configured"}
    assert code(api.post("/user-assets")) == (400, "storage.not_configured")


def test_custom_claims_script_is_changed(api):
    path = "/configs/jwt-customizer/access-token"
    assert code(api.patch(path, {"script": "x"})) == (404, "entity.not_exists_with_id")
    assert api.put(path, {"script": "x"}).status_code == 201
    assert api.put(path, {"script": "y"}).status_code == 200
    assert api.patch(path, {"script": "z", "environmentVariables": {"A": "1"}}).json() == {
        "script": "z",
        "environmentVariables": {"A": "1"},
    }
    assert api.patch(path, {"script": "y"}).json() == {"script": "y", "environmentVariables": {"A": "1"}}
    refused = api.patch(path, {"environmentVariables": {"A": "1"}})
    assert refused.json()["data"]["issues"][0]["path"] == ["script"]


def test_custom_claims_script_takes_no_unknown_key(api):
    response = api.put("/configs/jwt-customizer/access-token", {"script": "x", "unknown": 1, "other": 2})
    assert code(response) == (400, "guard.invalid_input")
    assert response.json()["data"]["issues"] == [
        {
            "code": "unrecognized_keys",
            "keys": ["unknown", "other"],
            "path": [],
            "message": "Unrecognized key(s) in object: 'unknown', 'other'",
        }
    ]


def test_custom_claims_script_is_deleted_once(api):
    path = "/configs/jwt-customizer/access-token"
    api.put(path, {"script": "x"})
    assert api.delete(path).status_code == 204
    assert code(api.delete(path)) == (404, "entity.not_found")
    assert code(api.get(path)) == (404, "entity.not_exists_with_id")


def test_custom_claims_scripts_are_listed_by_kind(api):
    api.put("/configs/jwt-customizer/client-credentials", {"script": "m"})
    api.put("/configs/jwt-customizer/access-token", {"script": "u"})
    listed = api.get("/configs/jwt-customizer").json()
    assert [each["key"] for each in listed] == ["jwt.accessToken", "jwt.clientCredentials"]


def tried(api, function, **changes):
    """Return the answer to a test run of a script with this function."""
    script = f"const getCustomJwtClaims = {function};"
    body = {"tokenType": "access-token", "script": script, "token": {}, "context": {"user": {}}, **changes}
    return api.post("/configs/jwt-customizer/test", body)


def test_custom_claims_script_is_tried_with_samples(api):
    records = [
        {"type": "Totp", "id": "r", "userId": "u", "verified": True, "secret": "S"},
        {"type": "BackupCode", "id": "r", "userId": "u", "code": "0123456789", "backupCodes": ["x"]},
    ]
    context = {"user": {"mfaVerificationFactors": ["Totp"]}, "interaction": {"verificationRecords": records}}
    function = "async ({ context, environmentVariables }) => ({ context, environmentVariables, unset: undefined })"
    response = tried(api, function, context=context, environmentVariables={"KEY": "v"})
    assert response.status_code == 200
    kept = response.json()["context"]["interaction"]["verificationRecords"]
    assert [sorted(each) for each in kept] == [["id", "type", "userId", "verified"], ["code", "id", "type", "userId"]]
    assert response.json()["context"]["user"] == context["user"]
    assert response.json()["environmentVariables"] == {"KEY": "v"}
    assert "unset" not in response.json()
    assert api.get("/configs/jwt-customizer").json() == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"context": {}}, ["context", "user"]),
        ({"token": {"unknown": 1}}, ["token"]),
        ({"token": {"kind": "ClientCredentials"}}, ["token", "kind"]),
        ({"tokenType": "nope"}, ["tokenType"]),
        ({"script": None}, ["script"]),
        (
            {"context": {"user": {}, "interaction": {"verificationRecords": [{"type": "Nope"}]}}},
            ["context", "interaction", "verificationRecords", 0, "type"],
        ),
        (
            {"context": {"user": {"mfaVerificationFactors": ["Nope"]}}},
            ["context", "user", "mfaVerificationFactors", 0],
        ),
    ],
)
def test_sample_of_another_shape_is_refused(api, changes, path):
    response = tried(api, "async () => ({})", **changes)
    assert code(response) == (400, "guard.invalid_input")
    assert response.json()["data"]["issues"][0]["path"] == path


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("async () => { throw new Error('boom'); }", "boom"),
        ("async () => { throw 'text'; }", "text"),
        ("async () => 'text'", "Invalid input"),
        ("42", "The script does not have a function named `getCustomJwtClaims`"),
    ],
)
def test_script_that_fails_in_a_test_run_is_an_error(api, function, message):
    response = tried(api, function)
    assert code(response) == (422, "jwt_customizer.general")
    assert response.json()["data"] == {"message": message}


def test_script_that_denies_access_in_a_test_run_is_an_error(api):
    response = tried(api, "async ({ api }) => api.denyAccess('no entry')")
    assert code(response) == (403, "jwt_customizer.general")
    assert response.json()["data"] == {
        "message": "no entry",
        "error": {"code": "AccessDenied", "message": "no entry"},
    }


def test_script_of_machines_is_tried_without_a_user(api):
    response = tried(api, "async ({ context }) => ({ context })", tokenType="client-credentials", context={})
    assert response.json() == {"context": {}}


def test_grant_of_user_is_listed_and_revoked(api, bookstore):
    tokens = bookstore.sign_in(scope="openid offline_access profile")
    [grant] = api.get("/users/customer0001/grants", appType="firstParty").json()["grants"]
    assert grant["payload"]["openid"] == {"scope": "openid offline_access profile"}
    assert api.get("/users/customer0001/grants", appType="thirdParty").json() == {"grants": []}
    assert api.delete(f"/users/editor000001/grants/{grant['id']}").status_code == 404
    assert api.delete(f"/users/customer0001/grants/{grant['id']}").status_code == 204
    assert bookstore.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_adaptive_mfa_ends_with_the_last_factor(api):
    assert api.get("/sign-in-exp").json()["adaptiveMfa"] == {}
    settings = api.patch("/sign-in-exp", {"mfa": {"factors": [], "policy": "NoPrompt"}}).json()
    assert settings["adaptiveMfa"] == {"enabled": False}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"mfa": {"factors": ["Totp", "Totp"], "policy": "NoPrompt"}}, 400, "duplicated_mfa_factors"),
        ({"mfa": {"factors": ["BackupCode"], "policy": "NoPrompt"}}, 400, "backup_code_cannot_be_enabled_alone"),
        (
            {"mfa": {"factors": ["Totp"], "policy": "PromptOnlyAtSignInMandatory"}},
            422,
            "non_adaptive_mfa_requires_skippable_policy",
        ),
        (
            {
                "mfa": {"factors": ["Totp"], "policy": "PromptAtSignInAndSignUpMandatory"},
                "adaptiveMfa": {"enabled": False},
            },
            422,
            "non_adaptive_mfa_requires_skippable_policy",
        ),
        ({"adaptiveMfa": {"enabled": True}}, 422, "adaptive_mfa_requires_non_skippable_policy"),
        (
            {"mfa": {"factors": [], "policy": "PromptOnlyAtSignInMandatory"}, "adaptiveMfa": {"enabled": True}},
            422,
            "adaptive_mfa_requires_mfa",
        ),
        (
            {"mfa": {"factors": ["Totp"], "policy": "Mandatory"}, "adaptiveMfa": {"enabled": True}},
            422,
            "adaptive_mfa_requires_non_skippable_policy",
        ),
    ],
)
def test_factors_and_policies_must_fit_each_other(api, body, status, error):
    before = api.get("/sign-in-exp").json()
    assert code(api.patch("/sign-in-exp", body)) == (status, f"sign_in_experiences.{error}")
    assert api.get("/sign-in-exp").json() == before


@pytest.mark.parametrize(
    "mfa",
    [
        {},
        {"factors": ["Totp"]},
        {"policy": "NoPrompt"},
        {"factors": ["Sms"], "policy": "NoPrompt"},
        {"factors": ["Totp"], "policy": "Always"},
        {"factors": "Totp", "policy": "NoPrompt"},
        {"factors": [], "policy": "NoPrompt", "organizationRequiredMfaPolicy": "Always"},
        None,
        [],
    ],
)
def test_malformed_mfa_is_refused(api, mfa):
    assert code(api.patch("/sign-in-exp", {"mfa": mfa})) == (400, "guard.invalid_input")


def test_mfa_is_stored_and_public(api, emulator):
    mfa = {
        "factors": ["Totp", "WebAuthn", "BackupCode"],
        "policy": "Mandatory",
        "organizationRequiredMfaPolicy": "Mandatory",
    }
    assert api.patch("/sign-in-exp", {"mfa": mfa}).json()["mfa"] == mfa
    for path in ("sign-in-exp", "experience"):
        assert requests.get(f"{emulator.endpoint}/api/.well-known/{path}", timeout=5).json()["mfa"] == mfa
    experience = emulator.tenant.sign_in_experience
    assert (experience.mfa_policy, experience.organization_mfa_policy) == ("Mandatory", "Mandatory")
    both = {"mfa": {**mfa, "policy": "PromptOnlyAtSignInMandatory"}, "adaptiveMfa": {"enabled": True}}
    assert api.patch("/sign-in-exp", both).json()["adaptiveMfa"] == {"enabled": True}
    assert code(api.patch("/sign-in-exp", {"mfa": mfa}))[1].endswith("adaptive_mfa_requires_non_skippable_policy")


def test_adaptive_mfa_stays_with_a_factor(api):
    settings = api.patch("/sign-in-exp", {"mfa": {"factors": ["Totp"], "policy": "NoPrompt"}}).json()
    assert settings["adaptiveMfa"] == {}
