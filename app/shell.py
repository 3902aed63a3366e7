"""The frame of every page: header, navigation, job chip, theme switch and heading."""

from __future__ import annotations

from .accounts.roles import least_role
from .components.markup import Markup, Panel, joined, markup

PAGES = (
    ("Data", ""),
    ("Generate", "generate"),
    ("Fine-tune", "finetune"),
    ("Label", "label"),
    ("Explore", "explore"),
    ("Train", "train"),
    ("Runs", "runs"),
)
"""(name, path) of every page, in the order of the workflow."""

POLL_JOBS = "() => { document.dispatchEvent(new CustomEvent('synthaug:poll')); }"
"""JavaScript for an event that has just queued a job: show it now instead of at the next poll."""

LOGO = Markup(
    '<svg width="22" height="22" viewBox="0 0 22 22" fill="none" aria-hidden="true">'
    '<rect x="1" y="1" width="9" height="9" rx="2" fill="currentColor"/>'
    '<rect x="12" y="1" width="9" height="9" rx="2" stroke="currentColor" stroke-width="1.6"/>'
    '<rect x="1" y="12" width="9" height="9" rx="2" stroke="currentColor" stroke-width="1.6"/>'
    '<path d="M13 17l2.6 2.8L21 13.4" stroke="currentColor" stroke-width="2" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)
SUN = Markup(
    '<svg class="sa-sun" width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
    'stroke-width="2" stroke-linecap="round" aria-hidden="true"><circle cx="12" cy="12" r="4.2"/>'
    '<path d="M12 2v2.4M12 19.6V22M2 12h2.4M19.6 12H22M4.9 4.9l1.7 1.7M17.4 17.4l1.7 1.7M4.9 19.1l1.7-1.7'
    'M17.4 6.6l1.7-1.7"/></svg>'
)
MOON = Markup(
    '<svg class="sa-moon" width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
    'stroke-width="2" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M20 14.2A8.2 8.2 0 0 1 9.8 4a8.2 8.2 0 1 0 10.2 10.2z"/></svg>'
)

LEAVE = Markup(
    '<svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M10 4H5v16h5M15 8l4 4-4 4M19 12H9"/></svg>'
)


def header(workspace_name: str, active: str) -> Panel:
    """The bar at the top of the page; ``active`` is the path of the current page."""
    links = joined(
        markup(
            '<a href="/{}" data-needs="{}"{}>{}</a>',
            path,
            least_role("GET", f"/{path}"),
            Markup(' aria-current="page"') if path == active else "",
            name,
        )
        for name, path in PAGES
    )
    bar = markup(
        '<header class="sa-header"><a class="sa-skip" href="#" data-sa-skip>Skip to content</a>'
        '<a class="sa-brand" href="/">{logo}<b>synthaug</b>'
        '<span title="Workspace">{workspace}</span></a>'
        '<nav class="sa-nav" aria-label="Pages">{links}</nav><div class="sa-header-end">'
        '<a class="sa-jobs-chip" data-sa-jobs data-needs="owner" href="/generate" title="Running jobs" hidden>'
        "<i></i><span></span></a>"
        '<button class="sa-icon-button" type="button" data-sa-theme aria-label="Switch between light and dark">'
        "{sun}{moon}</button>"
        '<form class="sa-person" method="post" action="/log-out" hidden><span data-sa-person></span>'
        '<button class="sa-icon-button" type="submit" title="Log out" aria-label="Log out">{leave}</button></form>'
        "</div></header>",
        logo=LOGO,
        workspace=workspace_name,
        links=links,
        sun=SUN,
        moon=MOON,
        leave=LEAVE,
    )
    return Panel(bar, elem_classes="sa-header-holder")


def heading(title: str, purpose: str) -> Panel:
    """The title of a page, and one line that tells what the page is for."""
    return Panel(markup('<div class="sa-heading"><h1>{}</h1><p>{}</p></div>', title, purpose))


def empty_state(title: str, hint: str, *actions: tuple[str, str]) -> Markup:
    """What a page shows while it has no content: the reason, and (label, address) of what to do next."""
    buttons = joined(markup('<a class="sa-button" href="{}">{}</a>', href, label) for label, href in actions)
    return markup(
        '<div class="sa-empty"><b>{}</b><span>{}</span><div class="sa-actions">{}</div></div>',
        title,
        hint,
        buttons,
    )
