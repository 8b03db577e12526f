"""Documents that were there before: the same ones, and nearly the same."""

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from typing import Self

from bert.errors import UserError

# Of MinHash (Broder 1997): functions, and bands of them that are looked up.
_NUM_HASHES = 128
_NUM_BANDS = 16
_SEED = 1
# Words in a row that are compared.
_SHINGLE = 5
# Of a document whose like is looked for; measured with rensa 0.5.
BYTES_OF_A_DOCUMENT = 1300


def digest(sentences: Sequence[str]) -> bytes:
    """Returns what equal documents have in common: 16 bytes."""
    text = "\n".join(sentences).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()


class Seen:
    """Digests that were there before, in a file; use it as a context manager.

    It takes 10 MB of memory, and about 60 bytes of disk for each digest.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bert-documents-")
        path = os.path.join(self._folder.name, "digests")
        self._base = sqlite3.connect(path, isolation_level=None)
        # It is thrown away: no care is needed for a crash.
        for setting in ("journal_mode=OFF", "synchronous=OFF"):
            self._base.execute(f"PRAGMA {setting}")
        self._base.execute(
            "CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID"
        )
        self._base.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()
        self._folder.cleanup()

    def add(self, own: bytes) -> bool:
        """Adds a digest; returns whether it is new."""
        cursor = self._base.execute(
            "INSERT OR IGNORE INTO seen VALUES (?)", (own,)
        )
        return bool(cursor.rowcount)


class NearlySeen:
    """Documents whose like was there before, in memory.

    Args:
        similarity: share of equal runs of five words (Jaccard) that makes two
            documents the same.
        max_bytes: of memory.
    """

    def __init__(self, similarity: float, max_bytes: int):
        import rensa  # requirements-text.txt

        self._rensa = rensa
        self._similarity = similarity
        self._index = rensa.RMinHashLSH(similarity, _NUM_HASHES, _NUM_BANDS)
        self._hashes: list = []
        self._most = max_bytes // BYTES_OF_A_DOCUMENT

    def add(self, sentences: Sequence[str]) -> bool:
        """Adds a document; returns whether it is new.

        Raises:
            UserError: there is no room for it.
        """
        words = " ".join(sentences).lower().split()
        runs = {
            " ".join(words[start : start + _SHINGLE])
            for start in range(max(1, len(words) - _SHINGLE + 1))
        }
        own = self._rensa.RMinHash(_NUM_HASHES, _SEED)
        own.update(sorted(runs))
        for number in self._index.query(own):
            if own.jaccard(self._hashes[number]) >= self._similarity:
                return False
        if len(self._hashes) >= self._most:
            raise UserError(
                f"--near_duplicates needs {BYTES_OF_A_DOCUMENT} bytes of "
                f"memory a document, and --max_memory has room for {self._most}"
                ". Received: more documents; raise it, or leave out "
                "--near_duplicates."
            )
        self._index.insert(len(self._hashes), own)
        self._hashes.append(own)
        return True
