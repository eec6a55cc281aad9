"""The pages that describe the API, in a browser."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.website import Website


def test_every_request_is_listed_and_can_be_tried(site: Website, address: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{address}/api/v1/docs")
    listing = page.locator("#operations-videos-api_index")
    listing.get_by_role("button").first.click()
    listing.get_by_role("button", name="Try it out").click()
    listing.get_by_role("button", name="Execute").click()
    expect(listing.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    described = site.client.get("/api/v1/openapi.json").get_json()["paths"].values()
    assert page.locator(".opblock").count() == sum(len(operations) for operations in described)
