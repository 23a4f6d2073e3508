"""The branches of the shop: the reader's own, the switcher, and the stock of one for those who manage it there."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from bookstore.branches.models import Stock
from logto_auth.emulator import HttpFault
from logto_auth.models import Organization
from logto_auth.testing import Browser

from .programs import HARBOUR, HILL
from .test_pages import Elements


@pytest.fixture
def admin(browser: Browser, tenant) -> Client:
    """Manager of both branches."""
    browser.sign_in("admin")
    return browser.client


@pytest.fixture
def editor(browser: Browser, tenant) -> Client:
    """On the staff of one."""
    browser.sign_in("editor")
    return browser.client


def header(response) -> str:
    return response.text.split("</header>")[0]


def choose(client: Client, organization_id: str, next_url: str = "/"):
    return client.post("/choose-organization", {"organization_id": organization_id, "next": next_url}, follow=True)


def stock() -> set[tuple[str, str, int]]:
    return set(Stock.objects.values_list("organization__logto_id", "book__title", "copies"))


# One's branches


def test_the_branches_ask_to_sign_in(client, db):
    assert client.get("/branches/")["Location"] == "/sign-in?next=/branches/"


def test_branch_list_shows_names_and_roles(admin):
    response = admin.get("/branches/")
    assert re.findall(r"<h2>(.*?)</h2>", response.text) == ["Harbour Branch", "Hill Branch"]
    assert response.text.count("<li>manager</li>") == 2
    assert f'href="/branches/{HARBOUR}/stock/"' in response.text


def test_user_without_branch_sees_no_link(browser, tenant):
    browser.sign_in("customer")
    response = browser.client.get("/branches/")
    assert "You are not a member of a branch." in response.text
    assert "Branches" not in header(response)


def test_member_of_one_branch_sees_no_switcher(editor):
    page = header(editor.get("/"))
    assert '<a href="/branches/">Branches</a>' in page
    assert "<select" not in page


def test_branch_names_come_from_userinfo_at_sign_in(browser, tenant, logto):
    browser.sign_in("admin")
    assert len(logto.requests.to("me")) == 1
    logto.requests.clear()
    assert "Hill Branch" in header(browser.client.get("/"))
    assert len(logto.requests) == 0


# Switching


def test_switcher_has_no_selection_at_first(admin, emma):
    fields = Elements(header(admin.get(emma.get_absolute_url()))).all("option")
    assert [field.get("value") for field in fields] == ["", HARBOUR, HILL]
    assert [field for field in fields if "selected" in field] == [{"value": "", "selected": None, "disabled": None}]
    page = choose(admin, HILL, emma.get_absolute_url())
    assert page.redirect_chain == [(emma.get_absolute_url(), 302)]
    fields = Elements(header(page)).all("option")
    assert fields == [{"value": HARBOUR}, {"value": HILL, "selected": None}]


def test_book_page_shows_stock_of_current_branch(admin, emma):
    admin.post(f"/branches/{HILL}/stock/{emma.slug}/", {"copies": 1})
    page = emma.get_absolute_url()
    assert "Branch has" not in admin.get(page).text
    assert "Hill Branch has 1 copy." in choose(admin, HILL, page).text
    assert "Harbour Branch has 0 copies." in choose(admin, HARBOUR, page).text


def test_switching_on_stock_page_opens_other_stock(admin):
    page = admin.get(f"/branches/{HARBOUR}/stock/")
    next_field = next(field for field in Elements(header(page)).all("input") if field.get("name") == "next")
    switched = choose(admin, HILL, next_field["value"])
    assert switched.redirect_chain == [("/branches/stock/", 302), (f"/branches/{HILL}/stock/", 302)]
    assert '<h1 class="page-title">Hill Branch</h1>' in switched.text


def test_member_of_two_branches_chooses_one(admin):
    page = admin.get("/branches/stock/")
    assert page.status_code == 403
    assert "<h1>Choose an organization</h1>" in page.text
    main = page.text.split("<main")[1]
    fields = {field["name"]: field.get("value") for field in Elements(main).all("input")}
    assert fields["next"] == "/branches/stock/"
    chosen = choose(admin, HILL, fields["next"])
    assert chosen.redirect_chain[-1] == (f"/branches/{HILL}/stock/", 302)


def test_refused_branch_in_the_url_offers_no_choice(admin, tenant):
    tenant.add_organization(id="otherbranch1", name="Other Branch")
    page = admin.get("/branches/otherbranch1/stock/")
    assert page.status_code == 403
    assert "Choose an organization" not in page.text


def test_stock_is_linked_only_for_those_who_manage_it(editor):
    page = editor.get("/branches/").text
    assert "Harbour Branch" in page
    assert f"/branches/{HARBOUR}/stock/" not in page


def test_user_without_branch_has_no_stock_page(browser, tenant):
    browser.sign_in("customer")
    response = browser.client.get("/branches/stock/")
    assert response.status_code == 403
    assert "You need to be a member of the organization" in response.text


# The stock


def test_manager_sets_copies_of_a_book(admin, emma, kokoro):
    page = f"/branches/{HARBOUR}/stock/"
    assert "has no books yet" in admin.get(page).text
    found = admin.get(page, {"q": "emma"})
    assert [(book.title, book.copies) for book in found.context["books"]] == [("Emma", None)]
    action = f"{page}{emma.slug}/?q=emma"
    assert action in [form.get("action") for form in Elements(found.text).all("form")]
    changed = admin.post(action, {"copies": 4}, follow=True)
    assert changed.redirect_chain == [(f"{page}?q=emma", 302)]
    assert "The number of copies of “Emma” is saved." in changed.text
    assert [(book.title, book.copies) for book in admin.get(page).context["books"]] == [("Emma", 4)]
    admin.post(action, {"copies": 0})
    assert [(book.title, book.copies) for book in admin.get(page).context["books"]] == [("Emma", 0)]


@pytest.mark.parametrize("copies", ["", "-1", "many", "1.5", "9" * 30])
def test_invalid_number_of_copies_is_explained(admin, emma, copies):
    response = admin.post(f"/branches/{HARBOUR}/stock/{emma.slug}/", {"copies": copies}, follow=True)
    assert "Enter the number of copies of “Emma”, 0 or more." in response.text
    assert not Stock.objects.exists()


def test_each_branch_has_its_own_stock(admin, emma):
    admin.post(f"/branches/{HARBOUR}/stock/{emma.slug}/", {"copies": 4})
    admin.post(f"/branches/{HILL}/stock/{emma.slug}/", {"copies": 9})
    assert stock() == {(HARBOUR, "Emma", 4), (HILL, "Emma", 9)}
    assert [book.copies for book in admin.get(f"/branches/{HARBOUR}/stock/").context["books"]] == [4]
    emma.refresh_from_db()
    assert emma.stock == 5, "the shop's own copies are counted apart"


def test_url_has_priority_over_selected_branch(admin, emma):
    choose(admin, HILL)
    admin.post(f"/branches/{HARBOUR}/stock/{emma.slug}/", {"copies": 4})
    assert stock() == {(HARBOUR, "Emma", 4)}


@pytest.mark.parametrize("branch", [HILL, "nowhere00001"])
def test_other_branches_are_forbidden(editor, tenant, emma, branch):
    """The editor manages the other one."""
    tenant.add_member(HARBOUR, "editor000001", roles=["manager"])
    for response in (
        editor.get(f"/branches/{branch}/stock/"),
        editor.post(f"/branches/{branch}/stock/{emma.slug}/", {"copies": 1}),
    ):
        assert response.status_code == 403
        assert "You need to be a member of the organization" in response.text
    assert not Stock.objects.exists()


def test_member_without_permission_sees_what_is_missing(editor, emma):
    for response in (
        editor.get(f"/branches/{HARBOUR}/stock/"),
        editor.post(f"/branches/{HARBOUR}/stock/{emma.slug}/", {"copies": 1}),
    ):
        assert response.status_code == 403
        assert "You need the permission manage:stock in this organization." in response.text
    assert not Stock.objects.exists()


def test_former_member_cannot_manage_the_branch(browser, tenant, settings):
    settings.LOGTO_FRESHNESS_SECONDS = 0
    browser.sign_in("admin")
    assert browser.client.get(f"/branches/{HILL}/stock/").status_code == 200
    tenant.remove_member(HILL, "admin0000001")
    assert browser.client.get(f"/branches/{HILL}/stock/").status_code == 403
    assert browser.client.get(f"/branches/{HARBOUR}/stock/").status_code == 200


def test_anonymous_user_is_redirected_to_sign_in(client, emma):
    path = f"/branches/{HARBOUR}/stock/"
    assert client.get(path)["Location"] == f"/sign-in?next={path}"
    assert client.post(f"{path}{emma.slug}/", {"copies": 1}).status_code == 302
    assert not Stock.objects.exists()


def test_changing_stock_needs_post_csrf_and_book(logto, tenant, emma):
    browser = Browser(logto, Client(enforce_csrf_checks=True))
    browser.sign_in("admin")
    path = f"/branches/{HARBOUR}/stock/{emma.slug}/"
    assert browser.client.get(path).status_code == 405
    assert "This form has expired" in browser.client.post(path, {"copies": 1}).text
    token = browser.client.get("/").context["csrf_token"]
    form = {"copies": 1, "csrfmiddlewaretoken": str(token)}
    assert browser.client.post(path, form).status_code == 302
    assert browser.client.post(f"/branches/{HARBOUR}/stock/no-such-book/", form).status_code == 404


def test_permission_is_fetched_once(admin, logto, emma):
    logto.requests.clear()
    for _ in range(3):
        admin.get(f"/branches/{HARBOUR}/stock/")
    assert len(logto.requests.to("token")) == 1


def test_unreachable_logto_is_reported(admin, logto):
    logto.faults.http["token"] = HttpFault(status=503)
    response = admin.get(f"/branches/{HARBOUR}/stock/")
    assert response.status_code in (502, 503)
    assert "sign-in service" in response.text


def test_stock_pages_take_constant_queries(admin, make_book, django_assert_num_queries):
    organization = Organization.objects.get(logto_id=HARBOUR)
    books = [make_book(f"Book {number:02}") for number in range(30)]
    Stock.objects.bulk_create(Stock(organization=organization, book=book, copies=1) for book in books[:2])
    page = f"/branches/{HARBOUR}/stock/"
    admin.get(page)
    with django_assert_num_queries(5):  # session, user, tokens, count, books
        admin.get(page)
    Stock.objects.bulk_create(Stock(organization=organization, book=book, copies=1) for book in books[2:])
    with django_assert_num_queries(5):
        first = admin.get(page)
    assert len(first.context["books"]) == 24
    assert admin.get(page, {"page": 2}).context["books"][0].title == "Book 24"


def test_stock_page_has_labels_and_headings(admin, emma):
    page = Elements(admin.get(f"/branches/{HARBOUR}/stock/", {"q": "emma"}).text)
    labelled = {label.get("for") for label in page.all("label")}
    for field in page.all("input", "select"):
        if field.get("type") != "hidden":
            assert field.get("id") in labelled or field.get("aria-label"), field
    assert len(page.all("h1")) == 1
    assert not page.all("script", "style")


# Admin


def test_the_stock_is_in_the_admin(admin, emma):
    admin.post(f"/branches/{HARBOUR}/stock/{emma.slug}/", {"copies": 4})
    assert "Emma" in admin.get("/admin/branches/stock/").text
    assert admin.get(f"/admin/branches/stock/{Stock.objects.get().pk}/change/").status_code == 200
