"""The URLs of the site of the profiles, but those of the CMS at last, as in the guide."""

from tests.docs.pages import the_block
from tests.profiles.site.urls import urlpatterns as usual

of_guide = the_block("docs/how-to/other-packages.md", "package urls").run()["urlpatterns"]
urlpatterns = [*usual, *of_guide]
