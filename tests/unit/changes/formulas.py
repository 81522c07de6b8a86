"""What of a file some spreadsheet would compute."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

#: Blanks and marks that a reader may pass over.
UNSEEN: Final = "\u00a0\u3000\u200b\u202e\u2060\ufeff\x0b\x0c\x00"
#: What a spreadsheet may see at the beginning of a cell once quotation marks and blanks are gone. A dash computes
#: nothing, and neither does a number, also where a reader who takes quotation marks for text finds the one that ends
#: the cell behind it, and where one who looks for another separator takes all its row for one cell.
_FORMULA: Final = re.compile(r"[=@\uff1d\uff0b\uff0d\uff20]|[+\-](?!\d+(?:$|[\",;\t|\]}])|[\s-]*$)")


def formulas(file: str) -> list[str]:
    """Return the formulas in a CSV file, whatever its reader takes for the separator, quotation marks or not."""
    blank = f" {UNSEEN}"
    lines = re.split(r"[\r\n]+", file)
    cells = [cell.strip(f'{blank}"') for line in lines for separator in ";,\t|" for cell in line.split(separator)]
    cells += [cell.strip(blank) for row in csv.reader(io.StringIO(file, newline="")) for cell in row]
    return [cell for cell in cells if _FORMULA.match(cell)]
