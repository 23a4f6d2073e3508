"""The URLs of the site of the profiles. django-logto registers its user model in no admin, so the site does."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin

admin.site.register(get_user_model(), UserAdmin)

from tests.profiles.site.urls import urlpatterns  # noqa: E402

__all__ = ["urlpatterns"]
