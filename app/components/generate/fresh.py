"""The newest synthetic images, small, in the order they were made."""

from __future__ import annotations

from collections.abc import Iterable

from synthaug.reading.queue import QueueItem

from ..markup import Markup, joined, markup


def fresh_images(items: Iterable[QueueItem]) -> Markup:
    """Tiles whose tooltip is the prompt, newest first; a word on what will stand here before the first."""
    tiles = joined(
        markup(
            '<img src="/media/{}.webp?size=64" alt="" title="{}" loading="lazy" width="56" height="56">',
            item.sha256,
            item.prompt or "",
        )
        for item in items
    )
    head = Markup("<h2 class='sa-h2'>Fresh images</h2>")
    if not tiles:
        return head + Markup("<p class='sa-note'>None yet. They appear here while a job runs.</p>")
    return head + markup('<div class="sa-fresh">{}</div>', tiles)
