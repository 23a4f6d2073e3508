"""The function of LOGTO_USER_FIELDS for this site."""

from logto_auth.exceptions import SignInRefused
from logto_auth.oidc.claims import text


def member_fields(claims):
    if text(claims, "email").endswith("@banned.example"):
        raise SignInRefused("Banned domain.", visitor_message="We do not deliver there.")
    return {
        "email": text(claims, "email"),
        "phone": text(claims, "phone_number"),
        "birth_year": 1900,
        "shelf": text(claims, "name"),
        "no_such_field": 1,
    }


def nothing_but_email(claims):
    return {"email": text(claims, "email")}
