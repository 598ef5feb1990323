"""``python -m llpbench`` is the command line."""

from llpbench.cli import main

main()
