from django.http import HttpRequest

from .basket import Basket


def basket(request: HttpRequest) -> dict[str, Basket]:
    """`basket` in every template; the header shows its length."""
    return {"basket": Basket(request.session)}
