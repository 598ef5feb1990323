"""Spreadsheets written by hand, so that no library is both their writer and their reader."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[str | float]]

_OPEN = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_OPEN}/spreadsheetml/2006/main"'
_LINKS = f"{_OPEN}/officeDocument/2006/relationships"
_PACKAGE = f'xmlns="{_OPEN}/package/2006/relationships"'
_TABLES = "urn:oasis:names:tc:opendocument:xmlns"


def write_xlsx(path: Path, sheets: Mapping[str, Rows | str]) -> Path:
    """Sheets of numbers and inline texts; or of XML, as it is."""
    numbers = range(1, len(sheets) + 1)
    kinds = "".join(
        f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.'
        f'spreadsheetml.{kind}+xml"/>'
        for part, kind in [
            ("xl/workbook.xml", "sheet.main"),
            *((f"xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers),
        ]
    )
    names = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
        for n, name in zip(numbers, sheets, strict=True)
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_OPEN}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        f'relationships+xml"/>{kinds}</Types>',
        "_rels/.rels": f'<Relationships {_PACKAGE}><Relationship Id="r1" '
        f'Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_LINKS}"><sheets>{names}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {_PACKAGE}>{links}</Relationships>",
    }
    for n, rows in zip(numbers, sheets.values(), strict=True):
        body = rows if isinstance(rows, str) else "".join(map(_xlsx_row, rows))
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f"<worksheet {_MAIN}><sheetData>{body}</sheetData></worksheet>"
        )
    return _zip(path, parts)


def write_ods(path: Path, sheets: Mapping[str, Rows]) -> Path:
    tables = "".join(
        f'<table:table table:name="{escape(name)}">{"".join(map(_ods_row, rows))}</table:table>'
        for name, rows in sheets.items()
    )
    spaces = " ".join(f'xmlns:{n}="{_TABLES}:{n}:1.0"' for n in ("office", "table", "text"))
    manifest = f"{_TABLES}:manifest:1.0"
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": f'<m:manifest xmlns:m="{manifest}"><m:file-entry m:full-path="/" '
        'm:media-type="application/vnd.oasis.opendocument.spreadsheet"/></m:manifest>',
        "content.xml": f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f"{tables}</office:spreadsheet></office:body></office:document-content>",
    }
    return _zip(path, parts)


def _xlsx_row(cells: Sequence[str | float]) -> str:
    return "<row>" + "".join(map(_xlsx_cell, cells)) + "</row>"


def _xlsx_cell(cell: str | float) -> str:
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f"<c><v>{cell!r}</v></c>"


def _ods_row(cells: Sequence[str | float]) -> str:
    return "<table:table-row>" + "".join(map(_ods_cell, cells)) + "</table:table-row>"


def _ods_cell(cell: str | float) -> str:
    if isinstance(cell, str):
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{escape(cell)}</text:p></table:table-cell>"
        )
    return f'<table:table-cell office:value-type="float" office:value="{cell!r}"/>'


def _zip(path: Path, parts: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path
