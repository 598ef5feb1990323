"""What help says beyond options: whole summaries of commands, and the methods by name."""

from __future__ import annotations

import textwrap

import click

MOST_USED = {
    "train-mean": "Predicts the mean of the training chips: the floor for all others.",
    "bag-ridge": "Ridge regression on features of divisions; trains in seconds.",
    "aggregated-multinomial": "Softmax regression on the same features.",
    "downconv": "The smallest network of the paper; trains in a minute.",
    "llpnet": "Learns cells from divisions, surroundings from cells; this project's own.",
}
"""A sentence for each of the methods that people begin with."""


class WholeSummaries(click.Group):
    """A group that lists its commands with the first sentence of each, however long."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a row a command."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _first_sentence(command)) for name, command in self.commands.items()]
            )


class NamesMethods(click.Command):
    """A command whose help ends with the installed methods, which it does not import."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the methods most used, then the names of others and of post-processors."""
        from importlib.metadata import entry_points

        methods, post = (
            sorted(point.name for point in entry_points(group=f"llpbench.{group}"))
            for group in ("baselines", "post")
        )
        others = ", ".join(name for name in methods if name not in MOST_USED)
        with formatter.section("Methods (`llpbench baselines` says more of them)"):
            width = formatter.width - formatter.current_indent - max(map(len, MOST_USED)) - 2
            lines = textwrap.fill(f"{others}.", width, break_on_hyphens=False)
            formatter.write_dl([*MOST_USED.items(), ("others", f"\b\n{lines}")])
        with formatter.section("Post-processors"):
            formatter.write_text(f"{', '.join(post)}.")


def _first_sentence(command: click.Command) -> str:
    paragraph = " ".join((command.help or "").partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".") + "."
