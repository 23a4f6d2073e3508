from logto_auth.emulator.oidc.claims import id_token_claims, userinfo_claims


def test_alipay_user_has_only_an_identity(emulator, bookstore, visitor):
    scope = "openid profile email phone identities"
    visitor.sign_in_with_alipay(bookstore.authorization_url(scope=scope), "2088000000000009")
    (user,) = [user for user in emulator.tenant.users.values() if user.identities]
    claims = userinfo_claims(emulator.tenant, user, scope.split(" "))
    assert list(claims) == [
        "sub", "name", "picture", "updated_at", "username", "created_at", "email", "email_verified",
        "phone_number", "phone_number_verified", "identities", "sso_identities",
    ]  # fmt: skip
    assert {claims[name] for name in ("name", "picture", "username", "email", "phone_number")} == {None}
    assert claims["identities"]["alipay"]["userId"] == "2088000000000009"
    assert list(claims["identities"]["alipay"]["details"]) == ["id", "rawData"]


def test_profile_claims_are_in_order(emulator):
    profile = {
        "familyName": "f", "givenName": "g", "middleName": "m", "nickname": "n", "preferredUsername": "p",
        "profile": "u", "website": "w", "gender": "x", "birthdate": "b", "zoneinfo": "z", "locale": "l",
        "address": {"streetAddress": "s"},
    }  # fmt: skip
    user = emulator.tenant.add_user(username="everything", primary_phone="861300000000", profile=profile)
    claims = id_token_claims(emulator.tenant, user, ["profile", "phone", "address"])
    assert list(claims) == [
        "sub", "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile",
        "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at", "username", "created_at",
        "phone_number", "phone_number_verified", "address",
    ]  # fmt: skip
    assert claims["phone_number"] == "861300000000"
    assert claims["phone_number_verified"] is True
    assert claims["address"] == {"streetAddress": "s"}


def test_username_is_fallback_for_preferred_username(emulator):
    user = emulator.tenant.users["customer0001"]
    assert id_token_claims(emulator.tenant, user, ["profile"])["preferred_username"] == "customer"


def test_times_are_in_milliseconds(emulator, bookstore):
    claims = userinfo_claims(emulator.tenant, emulator.tenant.users["customer0001"], ["profile"])
    assert claims["created_at"] > emulator.clock.now() * 999
