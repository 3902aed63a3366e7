"""CIFAR's pickled batches: reading them without executing any code, and writing them as Python 2 did.

The published batches are protocol-2 pickles of a Python 2 dict with ``str`` keys and a numpy array. torchvision reads
them with ``encoding="latin1"`` and expects ``str`` keys; the code on the dataset's page reads them with
``encoding="bytes"`` and expects ``bytes`` keys. Only Python 2's string opcodes satisfy both, and Python 3's pickler
cannot emit those, so ``dump`` writes the opcodes itself.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_BYTE_DTYPES = {"u1", "|u1", "uint8"}


class UnsafePickleError(ValueError):
    """The pickle is broken or refers to objects that no CIFAR batch contains. Nothing in it was executed."""


class _StandIn:
    """Base of the classes that replace numpy objects, so that no numpy code processes untrusted state."""

    def __setstate__(self, state: Any) -> None:
        raise UnsafePickleError(f"unexpected state for {type(self).__name__}")


class _Dtype(_StandIn):
    """Replaces ``numpy.dtype``; keeps only its name, since the state (byte order) does not matter for bytes."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode("latin1") if isinstance(name, bytes) else str(name)

    def __setstate__(self, state: Any) -> None:
        pass


class _Array(_StandIn):
    """Replaces ``numpy.ndarray``: shape, dtype, memory order and raw bytes, converted to an array after loading."""

    def __init__(self, *_: Any) -> None:
        self.shape: Any = ()
        self.dtype: Any = None
        self.fortran = False
        self.raw: Any = b""

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.fortran, self.raw = state

    def to_numpy(self) -> NDArray[np.uint8]:
        if not isinstance(self.dtype, _Dtype) or self.dtype.name not in _BYTE_DTYPES:
            raise UnsafePickleError("it contains an array that is not uint8")
        raw = self.raw.encode("latin1") if isinstance(self.raw, str) else self.raw
        shape = tuple(int(side) for side in self.shape)
        return np.frombuffer(raw, dtype=np.uint8).reshape(shape, order="F" if self.fortran else "C")


class _Reconstruct(_StandIn):
    """Replaces ``numpy.core.multiarray._reconstruct``, which makes an empty array before its state is set."""

    def __new__(cls, *_: Any) -> Any:
        return _Array()


class _FromBuffer(_StandIn):
    """Replaces ``numpy.core.numeric._frombuffer``, which makes arrays in pickle protocol 5."""

    def __new__(cls, raw: Any, dtype: Any, shape: Any, order: Any) -> Any:
        array = _Array()
        array.__setstate__((1, shape, dtype, order == "F", raw))
        return array


class _Latin1(_StandIn):
    """Replaces ``_codecs.encode``, with which Python 3 writes bytes in protocol 2."""

    def __new__(cls, text: Any, encoding: Any = "latin1") -> Any:
        if encoding not in ("latin1", b"latin1"):
            raise UnsafePickleError(f"it contains text encoded as {encoding!r}")
        return str(text).encode("latin1")


_ALLOWED: Mapping[tuple[str, str], type] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _FromBuffer,
    ("numpy._core.numeric", "_frombuffer"): _FromBuffer,
    ("_codecs", "encode"): _Latin1,
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The replacement for a name that batches use. Raises UnsafePickleError for any other name."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise UnsafePickleError(f"it refers to {module}.{name}, which no CIFAR batch needs") from None


def load(data: bytes) -> dict[str, object]:
    """The dict of a batch, with ``str`` keys and uint8 arrays. Raises UnsafePickleError for anything else.

    Text values are ``bytes`` if Python 2 wrote them, ``str`` or ``bytes`` if Python 3 did.
    """
    try:
        batch = _RestrictedUnpickler(io.BytesIO(data), encoding="bytes").load()
        if not isinstance(batch, dict):
            raise UnsafePickleError(f"it holds a {type(batch).__name__}, not a dict")
        return {as_text(key): _plain(value) for key, value in batch.items()}
    except UnsafePickleError:
        raise
    except Exception as error:  # a broken pickle raises almost anything
        raise UnsafePickleError(f"broken pickle: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, _Array):
        return value.to_numpy()
    if isinstance(value, _StandIn) or (isinstance(value, type) and issubclass(value, _StandIn)):
        raise UnsafePickleError("it contains an unexpected numpy object")
    return value


def as_text(value: object) -> str:
    """A text value as ``str``, whichever Python version pickled it. Raises UnsafePickleError."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return value
    raise UnsafePickleError(f"it contains {value!r} where text is expected")


def dump(batch: Mapping[str, object], file: BinaryIO) -> None:
    """Write ``batch`` as Python 2's ``cPickle.dump(batch, file, protocol=2)`` would.

    Values may be int, str, sequences of those, and uint8 matrices. ASCII text becomes a Python 2 ``str``, other text
    becomes ``unicode``, so that every reader sees the right characters.
    """
    file.write(b"\x80\x02}(")  # protocol 2, empty dict, mark
    for key, value in batch.items():
        _write(key, file)
        _write(value, file)
    file.write(b"u.")  # set items, stop


def _write(value: Any, file: BinaryIO) -> None:
    if isinstance(value, np.ndarray):
        _write_array(value, file)
    elif isinstance(value, str):
        file.write(_string(value.encode("ascii")) if value.isascii() else _unicode(value))
    elif isinstance(value, Sequence):
        file.write(b"](")  # empty list, mark
        for each in value:
            _write(each, file)
        file.write(b"e")  # append all
    else:
        file.write(b"J" + struct.pack("<i", value))


def _string(text: bytes) -> bytes:
    if len(text) < 256:
        return b"U" + bytes([len(text)]) + text  # short string
    return b"T" + struct.pack("<i", len(text)) + text


def _unicode(text: str) -> bytes:
    encoded = text.encode("utf-8")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _write_array(array: NDArray[np.uint8], file: BinaryIO) -> None:
    """Write a C-ordered uint8 matrix with the opcodes of the published CIFAR-10 batches."""
    rows, columns = array.shape
    file.write(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n")
    file.write(b"K\x00\x85U\x01b\x87R")  # _reconstruct(ndarray, (0,), "b")
    file.write(b"(K\x01" + b"J" + struct.pack("<i", rows) + b"J" + struct.pack("<i", columns) + b"\x86")
    file.write(b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R")  # dtype("u1", 0, 1)
    file.write(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")  # its state
    file.write(b"\x89T" + struct.pack("<i", array.size))  # False: C order; then the raw bytes
    file.write(np.ascontiguousarray(array, dtype=np.uint8).data)
    file.write(b"tb")
