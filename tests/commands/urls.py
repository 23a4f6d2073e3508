"""The bookstore's addresses, and a webhook's."""

from django.http import HttpResponse
from django.urls import include, path

import bookstore.urls
from logto_auth.urls import urlpatterns as sign_in_urls

with_webhook = [*sign_in_urls, path("webhooks/logto", lambda request: HttpResponse(), name="webhook")]

urlpatterns = [path("", include((with_webhook, "logto_auth"))), *bookstore.urls.urlpatterns[1:]]
