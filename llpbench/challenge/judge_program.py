"""The process in which a submission is judged: a program of its own, for its file is anybody's.

:func:`~llpbench.challenge.judging.judge_apart` runs it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from llpbench.apart import bound
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.judging import SAID, judge
from llpbench.errors import BoardError, ChallengeError, LLPBenchError


def main(challenge: str, predictions: str, track: str, out: str) -> None:
    """Write the marks of predictions into a folder, or what is wrong with them."""
    logging.disable()  # what is guessed of a file, its team can see with `llpbench evaluate`
    folder = ChallengeFolder(Path(challenge))
    rules = folder.rules()
    bound(rules.scoring_memory, rules.scoring_seconds)
    if hasattr(os, "nice"):  # Windows has none
        os.nice(10)  # a server on the same machine answers first
    try:
        said = {"marks": judge(folder, Path(predictions), track).to_json()}
    except (BoardError, ChallengeError) as error:
        said = {"fault": str(error)}
    except LLPBenchError as error:
        said = {"error": str(error).replace(f"{Path(predictions).parent}/", "")}
    Path(out, SAID).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
