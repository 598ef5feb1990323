"""Text and tables for LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from llpbench.errors import printable

_CHARACTERS = {
    **{character: f"\\{character}" for character in "&%$#_"},
    **{"{": r"\textbraceleft{}", "}": r"\textbraceright{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    **{"↓": r"$\downarrow$", "↑": r"$\uparrow$", "→": r"$\rightarrow$"},
    **{"†": r"$^\dagger$", "²": "$^2$", "…": r"\dots{}"},
}


def escape_latex(text: str) -> str:
    r"""Make text that LaTeX shows as it is, in one line.

    Examples
    --------
    >>> print(escape_latex("R² of 5 % & a_b"))
    R$^2$ of 5 \% \& a\_b
    """
    return "".join(_CHARACTERS.get(one, one) for one in printable(" ".join(text.split())))


def latex_table(
    groups: Sequence[str], headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    r"""Write a table with the rules of booktabs; cells are LaTeX, headings are escaped.

    A row that begins with a bracket or an asterisk is kept from the line break before it, which
    would take them for its own. ``groups`` stand above the headings, one for each; those that are
    alike are joined, and empty ones left out.

    Examples
    --------
    >>> print(latex_table(["", "a"], ["method", "MAE"], [["x", r"\textbf{1}"]]), end="")
    \begin{tabular}{ll}
    \toprule
     & \multicolumn{1}{c}{a} \\
    \cmidrule(lr){2-2}
    method & MAE \\
    \midrule
    x & \textbf{1} \\
    \bottomrule
    \end{tabular}
    """
    lines = [rf"\begin{{tabular}}{{{'l' * len(headings)}}}", r"\toprule"]
    if any(groups):
        lines += _join_groups(groups)
    lines += [_line(map(escape_latex, headings)), r"\midrule", *map(_line, rows)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _join_groups(groups: Sequence[str]) -> list[str]:
    cells, rules, column = [], "", 1
    for name, alike in groupby(groups):
        width = len(list(alike))
        if name:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(name)}}}")
            rules += rf"\cmidrule(lr){{{column}-{column + width - 1}}}"
        else:
            cells += [""] * width
        column += width
    return [_line(cells), rules]


def _line(cells: Iterable[str]) -> str:
    line = " & ".join(cells) + r" \\"
    return f"{{}}{line}" if line.startswith(("[", "*")) else line
