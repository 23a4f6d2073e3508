"""The view of the guide, before the URLs of the site of the profiles."""

from django.urls import path
from shelves.views import shelves

from tests.profiles.site.urls import urlpatterns as usual

urlpatterns = [path("branches/<organization_id>/shelves/", shelves), *usual]
