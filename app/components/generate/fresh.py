"""The newest synthetic images as small tiles."""

from __future__ import annotations

from collections.abc import Iterable

from synthaug.reading.queue import QueueItem

from ..markup import Markup, joined, markup


def fresh_images(items: Iterable[QueueItem]) -> Markup:
    """Tiles with the prompt as tooltip, newest first; before the first image, a note on what will appear here."""
    shown = list(items)
    tiles = joined(
        markup(
            '<button type="button" data-sa-image="{}" title="{prompt}" aria-label="Open: {prompt}">'
            '<img src="/media/{}.webp?size=64" alt="" loading="lazy" width="56" height="56"></button>',
            item.image_id,
            item.sha256,
            prompt=item.prompt or "",
        )
        for item in shown
    )
    head = Markup("<h2 class='sa-h2'>Newest images</h2>")
    if not tiles:
        return head + Markup(
            "<p class='sa-note'>There are no synthetic images yet. They appear here while a job runs.</p>"
        )
    return head + markup(
        '<div class="sa-fresh" data-sa-among="{}">{}</div>',
        ",".join(str(item.image_id) for item in shown),
        tiles,
    )
