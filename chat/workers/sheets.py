"""The cells of a workbook, sheet by sheet: XLSX, XLSB, XLS, ODS. Of formulas the values that were saved last."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineWorkbook

from chat.workers.tables import tab_separated

Value = int | float | str | bool | time | date | datetime | timedelta


def sheets_text(data: bytes) -> Iterator[str]:
    """Each sheet under its name, one line a row, tabs between cells."""
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for name in workbook.sheet_names:
        rows = workbook.get_sheet_by_name(name).iter_rows()
        lines = [line for row in rows if (line := tab_separated([_written(value) for value in row]))]
        if lines:
            yield f"## Sheet: {' '.join(name.split())}\n\n" + "\n".join(lines)


def _written(value: Value) -> str:
    """As a person would type it; 5.0 is 5 in a workbook, and a day has no midnight."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time() else value.date().isoformat()
    return str(value)
