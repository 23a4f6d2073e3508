"""Settings of the tenant that have their own routes: the account center and scripts for custom claims."""

from __future__ import annotations

from logto_auth.emulator.state.sessions import Grant
from tests.recorded import recording

from .play import Scenario, Stage


def _seed(stage: Stage) -> None:
    """Let users change all fields of their accounts, as the recorded Logto did."""
    fields = ("name", "avatar", "profile", "email", "phone", "password", "username", "social", "customData", "mfa")
    body = {"enabled": True, "fields": dict.fromkeys((*fields, "session"), "Edit")}
    assert stage.api.patch("/account-center", body).status_code == 200


def _set_delete_url(stage: Stage) -> None:
    stage.api.patch("/account-center", {"deleteAccountUrl": "https://example.com/delete"})


ACCOUNT_CENTER = Scenario(
    "account",
    _seed,
    (
        "account_center_settings",
        "account_center_bad_value",
        "account_center_bad_delete_url",
        "account_center_related_origins",
        _set_delete_url,
        "account_center_delete_url",
    ),
    recorded_at=1795883440,
)
PUBLIC_ACCOUNT_CENTER = Scenario(
    "tenant",
    lambda stage: _seed_with_origin(stage),
    ("well_known_account_center", "well_known_webauthn"),
    recorded_at=1795884240,
)
JWT_CUSTOMIZER = Scenario(
    "tokens",
    lambda stage: None,
    (
        "jwt_customizer_none",
        "jwt_customizer_bad_type",
        "jwt_customizer_no_script",
        "jwt_customizer_created",
        "jwt_customizer_list",
        "jwt_customizer_m2m_created",
        "jwt_customizer_syntax_error",
        "jwt_customizer_deleted",
        "jwt_customizer_test",
        "jwt_customizer_test_error",
    ),
    recorded_at=1795883911,
)


def _add_grants(stage: Stage) -> None:
    """Add the recorded grants of one user, one to a first-party and two to a third-party application."""
    tenant = stage.emulator.tenant
    tenant.add_user(id="dno2js30dta3", username="r3alice")
    tenant.add_application(name="r3 recorder", id="uqeq71fmjtp6sqdh4s8ic")
    tenant.add_application(name="r3 third party", id="jjtp1wwwugyj5jpepg7go", is_third_party=True)
    for name in ("user_grants", "user_grants_third_party"):
        for grant in recording(f"tokens/{name}", "1.42")["body"]["grants"]:
            payload, resources = grant["payload"], grant["payload"].get("resources", {})
            stage.emulator.instances.grants[grant["id"]] = Grant(
                account_id=payload["accountId"],
                client_id=payload["clientId"],
                expires_at=payload["exp"],
                created_at=payload["iat"],
                id=grant["id"],
                oidc_scopes=payload["openid"]["scope"].split(" "),
                resource_scopes={indicator: scopes.split(" ") for indicator, scopes in resources.items()},
            )


GRANTS = Scenario(
    "tokens",
    _add_grants,
    ("user_grants_third_party", "user_grant_unknown", "user_grant_revoked"),
    recorded_at=1795884240,
)
FIRST_PARTY_GRANTS = Scenario(
    "tokens",
    lambda stage: _add_grants(stage) or _remove_third_party(stage),
    ("user_grants",),
    recorded_at=1795884240,
)


def _remove_third_party(stage: Stage) -> None:
    """The recording lists all grants, from before the third-party application existed."""
    stage.emulator.tenant.delete_application("jjtp1wwwugyj5jpepg7go")


def _seed_with_origin(stage: Stage) -> None:
    _seed(stage)
    stage.api.patch("/account-center", {"webauthnRelatedOrigins": [stage.emulator.endpoint]})
