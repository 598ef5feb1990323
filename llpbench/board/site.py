"""The page made of the standings: ``leaderboard/site/index.html``."""
