"""The URLs of the guide, before those of the site of the profiles."""

from shop.urls import urlpatterns as of_guide

from tests.profiles.site.urls import urlpatterns as usual

urlpatterns = [*of_guide, *usual]
