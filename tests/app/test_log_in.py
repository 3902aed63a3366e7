"""Getting in and out: the start token, accounts, the cookie, and how often one may try."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from httpx import Response
from starlette.testclient import TestClient
from synthaug_app.accounts.access import access
from synthaug_app.accounts.attempts import MOST_BY_ADDRESS, MOST_BY_NAME, WINDOW_SECONDS, Attempts
from synthaug_app.accounts.log_in import WRONG, local_path
from synthaug_app.accounts.person import cookie_name

from synthaug.config import Role
from synthaug.errors import UserError
from synthaug.stages import accounts
from synthaug.workspace import Workspace

from .conftest import BASE, PASSWORD, own_routes, session_of

LAN = "0.0.0.0"  # noqa: S104 - nothing is bound


def client(workspace: Workspace, host: str = "127.0.0.1", scheme: str = "http") -> TestClient:
    """Nobody's browser, before an app bound to ``host``."""
    app = own_routes(workspace, access(host))
    return TestClient(app, base_url=BASE.replace("http", scheme), follow_redirects=False)


def log_in(browser: TestClient, name: str, password: str, next_: str = "/") -> Response:
    """Fill in the form."""
    return browser.post("/log-in", data={"name": name, "password": password, "next": next_})


def session_cookie(answer: Response, workspace: Workspace) -> dict[str, str]:
    """The flags and the value of the cookie that an answer sets."""
    jar = SimpleCookie(answer.headers["set-cookie"])
    morsel = jar[cookie_name(workspace.root)]
    return {"value": morsel.value, **{key: str(value) for key, value in morsel.items() if value}}


def test_the_start_token_lets_in_and_leaves_the_address(workspace: Workspace) -> None:
    how = access("127.0.0.1")
    browser = TestClient(own_routes(workspace, how), base_url=BASE, follow_redirects=False)
    answer = browser.get("/label", params={"scope": "all", "token": how.start_token or ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/label?scope=all")
    assert browser.get("/data/me").json() == {
        "name": accounts.machine_user(),
        "role": "owner",
        "shared": False,
    }


@pytest.mark.parametrize("token", ["", "x", "é", "None"])
def test_another_token_lets_nobody_in(workspace: Workspace, token: str) -> None:
    browser = client(workspace)
    answer = browser.get("/", params={"token": token})
    assert answer.headers["location"].startswith("/log-in")
    assert "set-cookie" not in answer.headers
    assert browser.get("/data/me").status_code == 401


def test_a_token_is_not_accepted_from_another_machine(workspace: Workspace) -> None:
    local = accounts.start_token_session(workspace, "127.0.0.1")
    browser = client(workspace, LAN)
    browser.cookies.set(cookie_name(workspace.root), local)
    assert access(LAN).start_token is None
    assert browser.get("/data/me").status_code == 401
    assert browser.get("/?token=").headers["location"].startswith("/log-in")


def test_a_session_cookie_is_for_the_server_alone(workspace: Workspace) -> None:
    accounts.add(workspace, "anna", "owner", PASSWORD)
    plain = session_cookie(log_in(client(workspace), "anna", PASSWORD), workspace)
    assert (plain["httponly"], plain["samesite"], plain["path"]) == ("True", "Lax", "/")
    assert "secure" not in plain
    assert int(plain["max-age"]) == accounts.ACCOUNT_SESSION.total_seconds()
    encrypted = session_cookie(log_in(client(workspace, scheme="https"), "anna", PASSWORD), workspace)
    assert encrypted["secure"] == "True"
    assert encrypted["value"] != plain["value"]


def test_neither_password_nor_session_can_be_read_in_the_database(workspace: Workspace) -> None:
    accounts.add(workspace, "anna", "owner", PASSWORD)
    cookie = session_cookie(log_in(client(workspace), "anna", PASSWORD), workspace)
    workspace.db.close()
    stored = b"".join(path.read_bytes() for path in workspace.root.glob("*.db*"))
    assert b"$argon2id$" in stored
    assert PASSWORD.encode() not in stored
    assert cookie["value"].encode() not in stored


def test_a_log_in_goes_where_it_was_wanted(workspace: Workspace) -> None:
    accounts.add(workspace, "Änne", "annotator", PASSWORD)
    browser = client(workspace)
    assert log_in(browser, " Änne ", PASSWORD, "/label?x=1").headers["location"] == "/label?x=1"
    assert browser.get("/data/me").json() == {"name": "Änne", "role": "annotator", "shared": True}


@pytest.mark.parametrize(
    "path",
    [
        *(
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "",
            "/a\r\nset-cookie: x=1",
            "/\t/evil",
        ),
        "/\x00",
    ],
)
def test_a_log_in_leads_to_no_other_site(path: str) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize(
    ("name", "password"), [("anna", "a mistaken one"), ("nobody", PASSWORD), ("", ""), ("anna", "x" * 5000)]
)
def test_a_wrong_log_in_says_the_same_whatever_is_wrong(
    workspace: Workspace, name: str, password: str
) -> None:
    accounts.add(workspace, "anna", "owner", PASSWORD)
    answer = log_in(client(workspace), name, password)
    assert answer.status_code == 401
    assert WRONG in answer.text
    assert "set-cookie" not in answer.headers
    assert password not in answer.text or not password


def test_the_form_shows_names_as_text(workspace: Workspace) -> None:
    accounts.add(workspace, "anna", "owner", PASSWORD)
    answer = log_in(client(workspace), '"><script>alert(1)</script>', "wrong", '/"><script>')
    assert "<script>alert" not in answer.text
    assert 'value="/&#34;&gt;&lt;script&gt;"' in answer.text


def test_five_wrong_passwords_lock_a_name_for_a_while(workspace: Workspace) -> None:
    accounts.add(workspace, "anna", "owner", PASSWORD)
    accounts.add(workspace, "ben", "owner", PASSWORD)
    browser = client(workspace)
    assert [log_in(browser, "anna", "wrong").status_code for _ in range(5)] == [401] * 5
    locked = log_in(browser, "Anna", PASSWORD)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= WINDOW_SECONDS
    assert "set-cookie" not in locked.headers
    assert log_in(browser, "ben", PASSWORD).status_code == 303


def test_the_limits_are_forgotten_after_the_window() -> None:
    time = 0.0
    attempts = Attempts(clock=lambda: time)
    waits = [attempts.begin("anna", f"10.0.0.{number}") for number in range(MOST_BY_NAME + 1)]
    assert waits == [0.0] * MOST_BY_NAME + [WINDOW_SECONDS]
    time = WINDOW_SECONDS
    assert attempts.begin("anna", "10.0.0.1") == 0.0


def test_one_address_cannot_try_many_names() -> None:
    attempts = Attempts(clock=lambda: 7.0)
    waits = [attempts.begin(f"name {number}", "10.0.0.1") for number in range(MOST_BY_ADDRESS + 1)]
    assert waits == [0.0] * MOST_BY_ADDRESS + [WINDOW_SECONDS]
    assert attempts.begin("name 1", "10.0.0.2") == 0.0


def test_right_passwords_are_not_counted() -> None:
    attempts = Attempts(clock=lambda: 7.0)
    for _ in range(3 * MOST_BY_ADDRESS):
        assert attempts.begin("anna", "10.0.0.1") == 0.0
        attempts.succeeded("anna", "10.0.0.1")


def test_logging_out_ends_the_session_and_no_other(workspace: Workspace) -> None:
    first, second = client(workspace), client(workspace)
    for browser in (first, second):
        browser.cookies.update(session_of(workspace, "annotator"))
    kept = dict(first.cookies)
    answer = first.post("/log-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    again = client(workspace)
    again.cookies.update(kept)
    assert again.get("/data/me").status_code == 401
    assert second.get("/data/me").status_code == 200


@pytest.mark.parametrize("ending", ["session", "password", "account"])
def test_an_owner_can_end_a_session(workspace: Workspace, ending: str) -> None:
    browser = client(workspace)
    browser.cookies.update(session_of(workspace, "annotator"))
    assert browser.get("/data/me").status_code == 200
    if ending == "session":
        accounts.end_session(workspace, 1)
    elif ending == "password":
        accounts.set_password(workspace, "cleo", "another long password")
    else:
        accounts.remove(workspace, "cleo")
    assert browser.get("/data/me").status_code == 401


def test_a_session_expires(workspace: Workspace) -> None:
    browser = client(workspace)
    browser.cookies.update(session_of(workspace, "annotator"))
    with workspace.db.transaction() as connection:
        connection.execute("UPDATE sessions SET expires_at = '2020-01-01T00:00:00.000Z'")
    assert browser.get("/data/me").status_code == 401


def test_the_page_offers_only_what_works(workspace: Workspace) -> None:
    assert "<form" not in client(workspace).get("/log-in").text
    assert "?token=" in client(workspace).get("/log-in").text
    accounts.add(workspace, "anna", "owner", PASSWORD)
    assert "<form" in client(workspace, LAN).get("/log-in").text
    assert "?token=" not in client(workspace, LAN).get("/log-in").text


def test_the_pages_own_files_need_no_log_in(workspace: Workspace) -> None:
    browser = client(workspace)
    assert browser.get("/log-in/log_in.css").headers["content-type"].startswith("text/css")
    assert browser.get("/log-in/theme.js").headers["content-type"].startswith("text/javascript")
    for other in ("page.html", "gate.py", "__init__.py"):
        assert browser.get(f"/log-in/{other}").status_code == 404
    assert browser.get("/log-in/..%2Froutes.py").status_code == 401


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "synthaug", "Synthaug"])
def test_a_name_that_cannot_sign_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(UserError):
        accounts.add(workspace, name, "annotator", PASSWORD)


@pytest.mark.parametrize("role", ["annotator", "reviewer", "owner"])
def test_everybody_learns_who_they_are(client_as: Callable[[Role | None], TestClient], role: Role) -> None:
    assert client_as(role).get("/data/me").json()["role"] == role
