"""How datasets, methods and llpbench are cited: what must be said, and BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

from llpbench import catalog
from llpbench._version import YEAR, __version__
from llpbench.catalog import DatasetEntry
from llpbench.data.cache import stored_names
from llpbench.data.dataset import list_datasets, open_dataset
from llpbench.data.info import DatasetInfo, mark_synthetic
from llpbench.data.location import is_address
from llpbench.errors import UnknownNameError, printable, unknown
from llpbench.latex import escape_latex
from llpbench.methods.registry import describe_method, method_names, split_name
from llpbench.notebook import Html, card, escape_html, table
from llpbench.reporting.croissant import PUBLISHED

_SELF = "llpbench"


@dataclass(frozen=True, repr=False)
class Citation:
    """What use of something asks for.

    Parameters
    ----------
    name : str
        Of a dataset, a method or llpbench.
    sentences : tuple of str
        References, attributions and the licence.
    bibtex : str
        One entry or several.
    """

    name: str
    sentences: tuple[str, ...]
    bibtex: str

    def __repr__(self) -> str:
        """One line."""
        entries = self.bibtex.count("@misc{")
        return printable(f"<Citation of {self.name}: {entries} entries of BibTeX>")

    def __str__(self) -> str:
        """The sentences, then BibTeX, which skips them where all is written to one file."""
        return "\n".join([*map(printable, self.sentences), "", self.bibtex])

    def _repr_html_(self) -> str:
        style = "background: none; border: 0; color: inherit; white-space: pre-wrap"
        bibtex = Html(f'<code style="{style}">{escape_html(self.bibtex)}</code>')
        said = [["say", sentence] for sentence in self.sentences]
        return card(f"How to cite {self.name}", table([], [*said, ["BibTeX", bibtex]]))


def cite(name: str) -> Citation:
    """Say how something is cited.

    Parameters
    ----------
    name : str
        A dataset of the catalog or on this machine, the path of one, a method, such as
        ``"llpnet"``, or ``"llpbench"``.

    Raises
    ------
    UnknownNameError
        If there is nothing of that name.

    Examples
    --------
    >>> cite("llpbench").sentences
    ('llpbench 0.1.0, licence of the software: Apache-2.0',)
    """
    if name == _SELF:
        said = f"{_SELF} {__version__}, licence of the software: {_licence()}"
        return Citation(name, (said,), _cite_software())
    if name in stored_names() or is_address(name) or Path(name).is_dir():
        return _cite_dataset(open_dataset(name).llp.info)
    if name in (entries := catalog.load().datasets):
        return _cite_dataset(entries[name])
    if split_name(name)[0] in method_names():
        return _cite_method(name)
    known = [_SELF, *list_datasets(), *method_names()]
    raise UnknownNameError(unknown("dataset or method", name, known))


def _cite_dataset(source: DatasetInfo | DatasetEntry) -> Citation:
    """What a dataset here says of itself counts; the catalog knows those that are not here."""
    paper, is_made = catalog.load().paper, bool(source.synthetic)
    title = (
        source.title
        if "synthetic" in source.title.lower()
        else mark_synthetic(source.title, is_made)
    )
    is_published = source.doi in {entry.doi for entry in catalog.load().datasets.values()} - {None}
    digest = source.digest if isinstance(source, DatasetInfo) else ""
    licence = f"Licence of the labels: {source.licence}" if source.licence else ""
    credit = source.attribution.removesuffix(".")
    note = [f"{credit}." if credit else "", f"{licence}." if licence else "", digest]
    fields = {
        "author": " and ".join(paper.authors) if is_published else _authors() if is_made else "",
        "title": title,
        "year": PUBLISHED if is_published else str(YEAR) if is_made else "",
        "doi": source.doi or "",
        "note": " ".join(filter(None, note)),
    }
    entries = [_write_entry(source.name, fields)]
    said = [f"doi:{source.doi}" if source.doi else "", source.attribution, licence]
    if is_published:
        entries.insert(0, _cite_paper())
        said.insert(0, str(paper))
    return Citation(source.name, tuple(filter(None, said)), "\n".join([*entries, _cite_software()]))


def _cite_method(name: str) -> Citation:
    info = describe_method(name)
    said = [f"{name}: {info.summary}", f"Source: {info.source}" if info.source else ""]
    entries = [_cite_software(f"Method {name}: {info.source}" if info.source else f"Method {name}")]
    if info.paper.get("url") == catalog.load().paper.url:
        entries.insert(0, _cite_paper())
        said.append(str(catalog.load().paper))
    elif info.paper:
        entries.insert(0, _write_entry(f"{name}-paper", info.paper))
        said.append(". ".join(info.paper.values()))
    return Citation(name, tuple(filter(None, said)), "\n".join(entries))


def _cite_paper() -> str:
    paper = catalog.load().paper
    fields = {
        "author": " and ".join(paper.authors),
        "title": paper.title,
        "year": str(paper.year),
        "eprint": paper.arxiv,
        "archiveprefix": "arXiv",
        "url": paper.url,
    }
    return _write_entry(f"arxiv-{paper.arxiv}", fields)


def _cite_software(note: str = "") -> str:
    summary = metadata(_SELF)["Summary"]
    fields = {
        "author": _authors(),
        "title": f"{_SELF}: {summary[0].lower()}{summary[1:]}",
        "year": str(YEAR),
        "version": __version__,
        "howpublished": f"Software, version {__version__}, {_licence()}",
        "note": note,
    }
    return _write_entry(_SELF, fields)


def _authors() -> str:
    """A group, which is no family name and given names."""
    return f"{{{metadata(_SELF)['Author']}}}"


def _licence() -> str:
    known = metadata(_SELF).json
    return str(known.get("license_expression") or known["license"])


def _write_entry(key: str, fields: Mapping[str, str]) -> str:
    """Write an entry of the type that every style knows, without empty fields."""
    plain = re.sub(r"[^A-Za-z0-9.+-]+", "-", key)
    lines = [f"  {name} = {{{_write(name, text)}}}," for name, text in fields.items() if text]
    return "\n".join([f"@misc{{{plain},", *lines, "}\n"])


def _write(name: str, text: str) -> str:
    """A field's text: titles keep their capitals, addresses are taken as they are."""
    if name in ("doi", "url"):
        return re.sub(r"[\s{}\\]", "", text)
    if name == "author":
        return text
    return f"{{{escape_latex(text)}}}" if name == "title" else escape_latex(text)
