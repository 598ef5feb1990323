"""The publication that the paper's methods are from."""

PAPER = {
    "title": "On-orbit model training for satellite imagery with label proportions",
    "url": "https://arxiv.org/abs/2306.12461",
}
