"""A result as files: a page that opens offline, the same in Markdown, and the data that both are written from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthaug.errors import UserError
from synthaug.experiments.base import Result
from synthaug.experiments.report.markdown import to_markdown
from synthaug.experiments.report.page import Plotly, to_html
from synthaug.experiments.report.serial import from_json, to_json
from synthaug.files import write_atomically

HTML, MARKDOWN, JSON = "report.html", "report.md", "result.json"


@dataclass(frozen=True, slots=True)
class Written:
    """Where a report lies."""

    html: Path
    markdown: Path
    json: Path


def write(result: Result, directory: Path, plotly: Plotly = "inline") -> Written:
    """Write report.html, report.md and result.json into a directory, which is made; equal results, equal bytes.

    ``plotly``: "inline" puts plotly.js (5 MB) into the page, "cdn" has the reader's browser fetch it, and "none"
    leaves the figures out, for reports that are kept small.
    """
    written = Written(directory / HTML, directory / MARKDOWN, directory / JSON)
    write_atomically(written.json, to_json(result).encode())
    write_atomically(written.markdown, to_markdown(result).encode())
    write_atomically(written.html, to_html(result, plotly).encode())
    return written


def read(path: Path) -> Result:
    """The result that a result.json holds. Raises UserError if it holds none."""
    try:
        return from_json(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no result at {path}; give the {JSON} of a report") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not the {JSON} of a report of this version: {error}") from error
