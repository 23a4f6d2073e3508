"""A user model with e-mail as username, UUID keys and a required field that no claim has."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class MemberManager(BaseUserManager):
    def create_user(self, email, birth_year, password=None):
        member = self.model(email=self.normalize_email(email), birth_year=birth_year)
        member.set_password(password)
        member.save()
        return member


class Member(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    birth_year = models.IntegerField()
    phone = models.CharField(max_length=20, unique=True, null=True)
    shelf = models.CharField(max_length=5, blank=True)
    is_active = models.BooleanField(default=True)

    objects = MemberManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["birth_year"]
