"""A workbook whose texts are texts: nothing in it computes, links or is taken for markup."""

from __future__ import annotations

from typing import IO

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]


class PlainSheet(Worksheet):  # type: ignore[misc]
    """xlsxwriter takes a text from <r> to </r> for its own markup and writes it as it stands.

    So whoever writes such a text could write cells, formulas among them.
    """

    def _xml_rich_inline_string(self, string: str, attributes: list[tuple[str, object]]) -> None:
        self._xml_inline_string(string, True, attributes)


class PlainWorkbook(Workbook):  # type: ignore[misc]
    """Is written line by line, each row before the next; all its sheets are plain ones."""

    worksheet_class = PlainSheet

    def __init__(self, target: IO[bytes]) -> None:
        # Only a sheet that is written line by line keeps its texts itself; the table that sheets
        # share otherwise lets the same markup through.
        options = {"constant_memory": True, "use_zip64": True}
        inert = ("strings_to_formulas", "strings_to_urls", "strings_to_numbers")
        super().__init__(target, options | dict.fromkeys(inert, False))
