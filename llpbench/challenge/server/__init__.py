"""The server of a challenge: teams, uploads, the queue, and the pages that show what came of it."""
