"""The database: its schema, its migrations, its transactions, its refusals."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import sqlite_utils

from synthaug.errors import WorkspaceError
from synthaug.store import catalog, generations, jobs, labels
from synthaug.store.database import MIGRATIONS, Database, statements
from synthaug.store.generations import Generation


def migrated(path: Path) -> Database:
    database = Database(path)
    database.migrate()
    return database


def schema(path: Path) -> str:
    """What sqlite3 itself says the schema is, without the migration table and SQLite's own."""
    rows = sqlite3.connect(path).execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE '%_sqlite_migrations%' ORDER BY type, name"
    )
    return "\n\n".join(f"{row[0]};" for row in rows) + "\n"


def test_the_migrations_make_the_schema_that_is_written_down(tmp_path: Path) -> None:
    migrated(tmp_path / "x.db")
    assert schema(tmp_path / "x.db") == (files("synthaug_db") / "schema.sql").read_text(encoding="utf-8")


def test_every_table_is_strict_and_foreign_keys_are_enforced(tmp_path: Path) -> None:
    database = migrated(tmp_path / "x.db")
    tables = database.query(
        "SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
    )
    ours = {row["name"]: row["strict"] for row in tables if "sqlite" not in row["name"]}
    assert ours
    assert all(ours.values())
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("INSERT INTO view_images VALUES (1, 0, 1, 0)")


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    migrated(tmp_path / "x.db")
    before = schema(tmp_path / "x.db")
    migrated(tmp_path / "x.db")
    assert schema(tmp_path / "x.db") == before


def test_a_database_of_a_newer_synthaug_is_refused(tmp_path: Path) -> None:
    migrated(tmp_path / "x.db")
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('synthaug', '9999_later', 'now')"
        )
    with pytest.raises(WorkspaceError, match=r"newer release of synthaug .*9999_later"):
        migrated(tmp_path / "x.db")


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = migrated(tmp_path / "x.db")

    def write_then_fail() -> None:
        with database.transaction():
            catalog.set_setting(database, "a", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_then_fail()
    assert catalog.get_setting(database, "a") is None


def test_threads_read_and_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    database = migrated(tmp_path / "x.db")
    errors: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for i in range(25):
                catalog.set_setting(database, f"{thread}-{i}", "x")
                assert catalog.get_setting(database, f"{thread}-{i}") == "x"
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(database.query("SELECT * FROM settings")) == 200


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(WorkspaceError, match="damaged"):
        migrated(tmp_path / "x.db")


def test_a_full_disk_says_so_and_undoes_the_transaction(tmp_path: Path) -> None:
    database = migrated(tmp_path / "x.db")
    (pages,) = database.query("PRAGMA page_count")[0]
    database.query(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(WorkspaceError, match="full; free some space"):
        catalog.set_setting(database, "long", "x" * 100_000)
    assert catalog.get_setting(database, "long") is None
    catalog.set_setting(database, "short", "x")


def test_a_read_only_database_says_so(tmp_path: Path) -> None:
    database = migrated(tmp_path / "x.db")
    database.query("PRAGMA query_only = on")
    with pytest.raises(WorkspaceError, match=r"cannot write to .* check the folder's permissions"):
        catalog.set_setting(database, "a", "1")


def first_release(path: Path) -> Database:
    """A database as 0.1 left it: one class, one job, two images."""
    database = Database(path)
    MIGRATIONS.ensure_migrations_table(sqlite_utils.Database(database.connection))
    script = (files("synthaug_db") / "migrations" / "0001_initial.sql").read_text(encoding="utf-8")
    with database.transaction() as connection:
        for statement in statements(script):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('synthaug', '0001_initial', 'then')"
        )
        connection.execute("INSERT INTO classes VALUES (0, 'cat')")
        connection.execute(
            "INSERT INTO jobs (id, kind, state, params, created_at) VALUES (7, 'generate', 'done', '{}', 'then')"
        )
        for image in (1, 2):
            connection.execute(
                "INSERT INTO images VALUES (?, ?, 8, 8, 'train', 'synthetic', 'job 7', NULL, 'then')",
                [image, str(image) * 64],
            )
            connection.execute(
                "INSERT INTO generations VALUES (7, ?, ?, 0, 'a cat', 3, ?, 5, 'embedded', 'r')",
                [image, image, '{"SIZE": "big"}'],
            )
    database.close()
    return database


def test_generations_of_the_first_release_are_kept(tmp_path: Path) -> None:
    first_release(tmp_path / "x.db")
    database = migrated(tmp_path / "x.db")
    kept = generations.of_images(database, [1, 2])
    assert kept[2] == Generation(7, 2, 2, 0, "a cat", 3, {"SIZE": "big"}, 5, "embedded", "r", {})
    assert generations.done_positions(database, 7, 0, 2) == {1}
    assert generations.done_by_range(database, 7, 2) == {0: 1, 1: 1}
    generations.add(database, replace(kept[2], position=9, class_index=None, details={"start": "image"}))
    assert database.integrity_problems() == []
    assert schema(tmp_path / "x.db") == (files("synthaug_db") / "schema.sql").read_text(encoding="utf-8")


def test_an_image_without_a_prompted_class_is_no_prompted_image(tmp_path: Path) -> None:
    database = migrated(tmp_path / "x.db")
    catalog.add_classes(database, ["cat"])
    job = jobs.submit(database, "generate", {}, 2)
    for number, class_index in ((1, None), (2, 0)):
        image, _ = catalog.add_image(
            database, sha256=str(number) * 64, size=(8, 8), split="train", origin="synthetic", source=""
        )
        made = Generation(job, number, image, class_index, "", 0, {}, 1, "ddpm", "r", {"strength": 0.5})
        generations.add(database, made)
        assert generations.of_images(database, [image]) == {image: made}
    assert [each.sha256[0] for each in labels.prompted_images(database)] == ["2"]
    assert labels.class_counts(database)[0].unreviewed == 1


def test_statements_keeps_triggers_whole() -> None:
    script = (
        "CREATE TABLE a (b);\nCREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n"
    )
    assert [each.split()[1] for each in statements(script)] == ["TABLE", "TRIGGER"]


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """2 is FULL: in WAL mode, NORMAL (1) would lose acknowledged commits in a power cut."""
    database = Database(tmp_path / "x.db")
    row = database.one("PRAGMA synchronous")
    assert row is not None
    assert row[0] == 2
