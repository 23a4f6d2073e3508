"""People by e-mail, with UUID keys and a required field that no claim has."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class PersonManager(BaseUserManager):
    def create_user(self, email, birth_year, password=None):
        person = self.model(email=self.normalize_email(email), birth_year=birth_year)
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    birth_year = models.IntegerField()
    phone = models.CharField(max_length=20, unique=True, null=True)
    shelf = models.CharField(max_length=5, blank=True)
    is_active = models.BooleanField(default=True)

    objects = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["birth_year"]
