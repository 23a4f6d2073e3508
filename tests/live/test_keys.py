"""New signing keys of Logto."""

from __future__ import annotations

import pytest

from .conftest import MakePerson
from .options import PREFIX
from .sites import Site

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def test_key_rotation(shop: Site, make_person: MakePerson) -> None:
    if not shop.target.may_rotate_keys:
        pytest.skip(f"a rotation cannot be undone; {PREFIX}ROTATE_KEYS=1 allows it")
    before, after = make_person("early"), make_person("late")
    before.sign_in(shop)
    shop.target.api.post("configs/oidc/private-keys/rotate", {"signingKeyAlgorithm": "EC"})
    assert after.sign_in(shop)["sub"] == after.id
    assert before.get(shop, "/refresh/").json()["sub"] == before.id
