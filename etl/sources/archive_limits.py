"""What an archive may hold, and the refusals of what goes beyond it."""

from __future__ import annotations

from etl.errors import SourceError

MAX_RATIO = 250
"""Unpacked to packed bytes. Two million rows of ten columns, all but one the same throughout, were packed to a 33rd by
gzip -9 and to a 95th by zstd -19 (measured); what is made to fill disks reaches 1,000 (gzip) and more (zstd). With it
a CSV of ten million rows and 1 GB passes, also as the 11 MB that zstd makes of it."""
FREE_BYTES = 32 << 20
"""Up to here the ratio is not looked at: a small table may hold one value throughout."""
MAX_MEMBERS = 1_000


def refuse_bomb(unpacked: int, packed: int, name: str) -> None:
    """Raise SourceError where so many bytes of so few are more than any table comes to."""
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * packed:
        raise SourceError(
            f"this unpacks to more than {MAX_RATIO} times its size, as tables do not",
            code="archive-bomb",
            where=name,
            hint="if it is a table that you know, unpack it yourself and give the file in it",
        )


def damaged(name: str) -> SourceError:
    """Return the SourceError for an archive that is broken or cut off."""
    return SourceError(
        "the archive is damaged or cut off; nothing of it is read",
        code="archive-damaged",
        where=name,
        hint="copy or download it again",
    )


def too_many(name: str, count: str) -> SourceError:
    """Return the SourceError for an archive of more than MAX_MEMBERS files; `count` in words."""
    return SourceError(
        f"the archive holds {count} files; {MAX_MEMBERS:,} are the limit",
        code="archive-too-many",
        where=name,
        hint="give it in parts",
    )


def bad_member(message: str, where: str, hint: str) -> SourceError:
    """Return the SourceError for a member that no honest archive has."""
    return SourceError(message, code="archive-member", where=where, hint=hint)
