"""The columns that a mapping makes of a chunk: what schemas judge and payloads are written of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import Field, FieldType
from etl.records import Mask


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one field for some rows of a chunk.

    `path`: dotted, `properties.KEY` for a dynamic key, `attributes.NAME` for a free attribute (`field` is then None);
    `name`: its outgoing name in the wire form `envelope`.
    `values`: Arrow string array, or list<string> for a list; null is absent, "" and [] clear. `failed`: bool, rows
    whose value could not be made. `sources`: the positions of the columns that feed it, in the mapping's order, ()
    for a constant. `cleared`: bool, rows whose value at the endpoint this clears, None where it clears none.
    """

    path: str
    field: Field | None
    name: str
    values: pa.Array
    failed: Mask
    sources: tuple[int, ...]
    cleared: Mask | None = None

    @property
    def is_list(self) -> bool:
        """Whether the values are lists."""
        return bool(pa.types.is_list(self.values.type))

    @property
    def is_float(self) -> bool:
        """Whether the values are the decimal text of a number."""
        return self.field is not None and self.field.type is FieldType.FLOAT

    def only(self, keep: Mask) -> Column:
        """Return the column of the rows for which `keep` is true."""
        cleared = None if self.cleared is None else self.cleared[keep]
        values = self.values.filter(pa.array(keep))
        return replace(self, values=values, failed=self.failed[keep], cleared=cleared)


def as_floats(values: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return decimal text (null: NaN) as float64; what is too large becomes inf."""
    return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
