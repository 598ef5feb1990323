"""Training on board, simulated: chips that come in passes, little memory, few bytes up and down."""
