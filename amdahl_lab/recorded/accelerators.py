"""Chips as their data sheets have them, with the source of each row.

The table is `published/accelerators.csv`. Every figure in it was seen in its source; those that
follow from other figures of the source say so in their note.
"""

from amdahl_lab.bounds import Part
from amdahl_lab.quantities import quantity
from amdahl_lab.recorded.published import published_table

_PEAKS = {
    "fp32": ("fp32_TFLOPS", "TFLOPS"),
    "tf32": ("tf32_TFLOPS", "TFLOPS"),
    "bf16": ("bf16_TFLOPS", "TFLOPS"),
    "int8": ("int8_TOPS", "TOPS"),
}


def accelerators() -> dict[str, Part]:
    """Return the chips of the published table by name.

    Returns
    -------
    dict of str to Part
        "bf16" is fp16 where a chip has only that.
    """
    return {row["name"]: _part(row) for row in published_table("accelerators")}


def _part(row: dict[str, str]) -> Part:
    return Part(
        row["name"],
        row["kind"],
        {
            number: quantity(f"{row[column]} {unit}")
            for number, (column, unit) in _PEAKS.items()
            if row[column]
        },
        quantity(f"{row['bandwidth_GBps']} GB/s"),
        quantity(f"{row['power_W']} W") if row["power_W"] else None,
        row["power_kind"],
        row["source"],
    )
