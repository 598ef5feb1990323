"""The leaderboard: entries as files, checked, scored and ranked; a page made of them.

A board is a folder (:mod:`~llpbench.board.layout`) of entries (:mod:`~llpbench.board.entry`),
truth tables (:mod:`~llpbench.board.truth`) and results (:mod:`~llpbench.board.result`).
:mod:`~llpbench.board.standings` makes of them the one structure that the page shows.
"""
