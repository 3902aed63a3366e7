"""Importing Gradio without the type stubs that it writes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_type_stubs() -> Iterator[None]:
    """Gradio writes no ``.pyi`` files within the block.

    For each class of a component it parses the source and compares the stubs beside it, at every start: half of the
    time of ``import gradio`` 6.31, and files in whatever folder the app is installed in. It passes over classes
    without a source file, and :func:`inspect.getfile` is what says so.
    """
    getfile = inspect.getfile

    def of_all_but_components(thing: object) -> str:
        if type(thing).__module__ == "gradio.component_meta":
            raise OSError("no type stubs")
        return getfile(thing)  # type: ignore[arg-type]

    inspect.getfile = of_all_but_components  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = getfile
