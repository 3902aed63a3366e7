"""The two pages without Gradio: the log-in page, and the page shown to people without the needed role."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from markupsafe import Markup

from synthaug.config import Role

from ..components.markup import markup
from .person import Person

HERE = Path(__file__).parent
FILES = {"log_in.css": "text/css", "theme.js": "text/javascript"}
"""Files of these pages and their media types."""

FORM = Markup(
    '<form method="post" action="/log-in">{error}<input type="hidden" name="next" value="{next}">'
    '<label>Name<input name="name" value="{name}" autocomplete="username" autocapitalize="none" spellcheck="false"'
    ' maxlength="100" required{focus_name}></label>'
    '<label>Password<input name="password" type="password" autocomplete="current-password" maxlength="1000" required'
    "{focus_password}></label><button>Log in</button></form>{hint}"
)
LOCAL = Markup(
    '<p class="hint">On this machine you need no account: open the address that the terminal printed when the app '
    "started. It ends in <code>?token=</code> and a long code.</p>"
)
NETWORK = Markup('<p class="hint">Ask the person who runs this app for an account.</p>')
PLURAL: dict[Role, str] = {"annotator": "annotators", "reviewer": "reviewers", "owner": "owners"}


def log_in_page(
    workspace: str, *, local: bool, accounts: bool, next_: str = "/", name: str = "", error: str = ""
) -> str:
    """The log-in form if there are accounts; on this machine also the hint on how to do without one."""
    focus = Markup(" autofocus")
    form = markup(
        FORM,
        error=markup('<p class="error" role="alert">{}</p>', error) if error else "",
        next=next_,
        name=name,
        focus_name="" if name else focus,
        focus_password=focus if name else "",
        hint=LOCAL if local else NETWORK,
    )
    return _page("Log in", workspace, form if accounts else LOCAL)


def not_allowed_page(person: Person, least: Role, home: str, path: str) -> str:
    """A page that tells who may see the requested page, who is logged in, and where to go."""
    whom = PLURAL[least] if least == "owner" else f"{PLURAL[least]} and owners"
    text = markup(
        '<p>You are logged in as <b>{}</b>, {}.</p><p class="actions"><a href="{}">Back</a></p>'
        '<form method="post" action="/log-out"><button class="plain">Log out</button></form>',
        person.name,
        person.role,
        home,
    )
    return _page(f"{path.removeprefix('/').capitalize()} is for {whom}", "", text)


@cache
def page_file(name: str) -> bytes:
    """The content of one of the files. Raises KeyError."""
    FILES[name]
    return (HERE / name).read_bytes()


def _page(title: str, workspace: str, content: Markup) -> str:
    return markup(_frame(), title=title, workspace=workspace, content=content)


@cache
def _frame() -> str:
    return (HERE / "page.html").read_text(encoding="utf-8")
