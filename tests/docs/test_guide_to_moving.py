"""What the guides to moving from other packages say, if it needs none of these packages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test.utils import isolate_apps

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity
from logto_auth.testing import Browser

from .pages import the_block

User = get_user_model()


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Create the table of a model with the `sub` in a field, importable from `shop.models`."""
    with isolate_apps("django.contrib.auth"):

        class Profile(models.Model):
            user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
            logto_sub = models.CharField(max_length=50, blank=True)

            class Meta:
                app_label = "auth"

    shop = ModuleType("shop.models")
    vars(shop)["Profile"] = Profile
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.models", shop)
    with connection.schema_editor() as editor:
        editor.create_model(Profile)
    yield Profile
    with connection.schema_editor() as editor:
        editor.delete_model(Profile)


@pytest.mark.django_db(transaction=True)
def test_identities_are_created_from_profiles(browser: Browser, logto: Emulator, profile: Any) -> None:
    sub = logto.tenant.add_user(username="ada").id
    ada, root = User.objects.create_user("lovelace"), User.objects.create_user("root")
    profile.objects.create(user=ada, logto_sub=sub)
    profile.objects.create(user=root)
    for _ in range(2):
        the_block("docs/how-to/move-from-other-packages.md", "identities of a profile").run()
    assert LogtoIdentity.objects.get().user == ada
    browser.sign_in("ada")
    assert User.objects.count() == 2
