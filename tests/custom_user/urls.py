from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [path("", include("logto_auth.urls")), path("", lambda request: HttpResponse(str(request.user)))]
