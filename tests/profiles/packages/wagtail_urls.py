"""The URLs of the guide to Wagtail, before those of the site of the profiles, and Wagtail's pages at last."""

from django.urls import include, path
from wagtail import urls as wagtail_urls

from tests.docs.pages import the_block
from tests.profiles.site.urls import urlpatterns as usual

urlpatterns = [
    *the_block("docs/how-to/wagtail.md", "package urls").run()["urlpatterns"],
    *usual,
    path("pages/", include(wagtail_urls)),
]
