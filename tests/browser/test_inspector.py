"""The drawer that shows one image: opened from a point, a tile and a link, walked through, labeled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from synthaug.store import catalog, labels
from synthaug.workspace import Workspace

from .planted import COUNT, Planted, click_point, open_map
from .served import App

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route


def drawer(page: Page) -> Locator:
    """The inspector."""
    return page.locator(".sa-inspector")


def hash_of(app: App, image: int) -> str:
    """The SHA-256 of an image."""
    workspace = Workspace.open(app.root)
    sha256 = catalog.images_by_id(workspace.db, [image])[0].sha256
    workspace.db.close()
    return sha256


def shown(page: Page) -> int:
    """The image that is open."""
    expect(page.locator(".sa-inspector[data-image]:not([aria-busy])")).to_be_visible()
    return int(re.findall(r"\d+", drawer(page).locator("h2").inner_text())[0])


def test_a_click_on_a_point_opens_its_image_with_its_provenance(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    image = min(planted.strangers)
    page.get_by_role("button", name="UMAP").click()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-projection", "umap")
    click_point(page, image)
    expect(drawer(page)).to_be_visible()
    assert shown(page) in planted.strangers  # they lie on one another
    facts = drawer(page).locator(".sa-inspector-facts").first
    expect(facts).to_contain_text("a photo of an animal on the <WHAT>")
    expect(facts).to_contain_text("0123456789ab")
    expect(drawer(page).get_by_role("heading", name="Nearest real images")).to_be_visible()
    near = drawer(page).locator(".sa-inspector-section", has_text="Nearest synthetic").locator("button")
    among = {int(each.get_attribute("data-sa-image") or 0) for each in near.all()}
    assert among <= planted.strangers
    page.keyboard.press("Escape")
    expect(drawer(page)).to_have_count(0)


def test_a_click_from_before_the_inspector_has_loaded_still_opens_the_image(
    page: Page, map_app: App, planted: Planted
) -> None:
    held: list[Route] = []
    page.route("**/inspector/inspector.js", lambda route: held.append(route))
    open_map(page, map_app)
    click_point(page, planted.real[0])
    expect(drawer(page)).to_have_count(0)
    for route in held:
        route.continue_()
    shown(page)


def test_a_link_opens_the_image_cold_and_says_when_there_is_none(
    page: Page, map_app: App, planted: Planted
) -> None:
    image = planted.real[7]
    page.goto(f"{map_app.url}/image/{hash_of(map_app, image)}")
    expect(drawer(page).locator("h2")).to_have_text(f"Image {image}")
    expect(drawer(page)).to_contain_text("photographs/7.png")
    expect(drawer(page).get_by_role("img").first).to_be_visible()
    page.goto(f"{map_app.url}/explore?image={'f' * 64}")
    expect(drawer(page).locator("h2")).to_have_text("No such image")
    expect(drawer(page)).to_contain_text("This workspace has no image with this id or hash")


def test_the_arrows_walk_through_the_selection_in_the_order_of_the_tiles(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    page.get_by_role("button", name="Select all shown").click()
    expect(page.locator(".sa-grid")).to_have_attribute("data-painted", str(COUNT))
    tiles = page.locator(".sa-grid-open")
    newest = sorted(planted.real + planted.test + planted.synthetic, reverse=True)
    tiles.first.click()
    expect(drawer(page).locator("h2")).to_have_text(f"Image {newest[0]}")
    expect(drawer(page).locator(".sa-inspector-place")).to_have_text(f"1 of {COUNT:,}")
    for step in (1, 2):
        page.keyboard.press("ArrowRight")
        expect(drawer(page).locator("h2")).to_have_text(f"Image {newest[step]}")
    page.keyboard.press("ArrowLeft")
    expect(drawer(page).locator("h2")).to_have_text(f"Image {newest[1]}")
    page.keyboard.press("Escape")
    assert page.locator(".sa-scatter").get_attribute("data-selected") == str(COUNT)  # the selection stays


def test_back_closes_it_and_forward_opens_it(page: Page, map_app: App, planted: Planted) -> None:
    open_map(page, map_app)
    click_point(page, planted.real[30])
    expect(drawer(page)).to_be_visible()
    image = shown(page)
    assert f"image={hash_of(map_app, image)}" in page.url
    page.go_back()
    expect(drawer(page)).to_have_count(0)
    page.go_forward()
    expect(drawer(page).locator("h2")).to_have_text(f"Image {image}")
    page.reload()
    expect(drawer(page).locator("h2")).to_have_text(f"Image {image}")


def test_labels_are_given_and_taken_back_in_it(page: Page, map_app: App, planted: Planted) -> None:
    image = planted.synthetic[333]
    open_map(page, map_app, f"?image={hash_of(map_app, image)}")
    log = drawer(page).locator(".sa-inspector-log li")
    expect(drawer(page)).to_contain_text("Nobody has labeled it yet")
    drawer(page).get_by_label("Class").select_option("horse")
    drawer(page).get_by_role("button", name="Label", exact=True).click()
    expect(log.first).to_contain_text("horse")
    expect(log.first).to_contain_text("counts")
    page.locator("[data-part=mode]").select_option("state")
    keys = page.get_by_role("group", name="Show or hide by colour")
    labeled = len(planted.real + planted.test) + 1
    expect(keys.get_by_role("button", name="labeled")).to_contain_text(str(labeled))
    log.first.get_by_role("button", name="Undo").click()
    expect(log.first).to_contain_text("undone by")
    expect(keys.get_by_role("button", name="labeled")).to_contain_text(str(labeled - 1))
    workspace = Workspace.open(map_app.root)
    assert [each.value for each in labels.history(workspace.db, image)] == ["class", "undo"]
    workspace.db.close()


def test_a_test_image_is_locked_in_it(page: Page, map_app: App, planted: Planted) -> None:
    open_map(page, map_app, f"?image={hash_of(map_app, planted.test[0])}")
    expect(drawer(page)).to_contain_text("A labeled test image is locked")
    expect(drawer(page).get_by_role("button", name="Undo")).to_have_count(0)
    expect(drawer(page).get_by_role("button", name="Reject")).to_have_count(0)
