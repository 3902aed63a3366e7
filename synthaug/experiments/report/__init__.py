"""Writing a result to files: an offline HTML page, the same report in Markdown, and its data as JSON."""

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
    """The paths of a report's files."""

    html: Path
    markdown: Path
    json: Path


def write(result: Result, directory: Path, plotly: Plotly = "inline") -> Written:
    """Write report.html, report.md and result.json to a directory; the same result gives the same bytes.

    ``plotly``: "inline" puts plotly.js (5 MB) into the page, "cdn" lets the browser load it, and "none" leaves the
    figures out, for a small file. Raises WorkspaceError.
    """
    written = Written(directory / HTML, directory / MARKDOWN, directory / JSON)
    write_atomically(written.json, to_json(result).encode())
    write_atomically(written.markdown, to_markdown(result).encode())
    write_atomically(written.html, to_html(result, plotly).encode())
    return written


def read(path: Path) -> Result:
    """Read the result in a result.json. Raises UserError if it is missing or invalid."""
    try:
        return from_json(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}; give the {JSON} of a report") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not the {JSON} of a report from this version: {error}") from error
