"""What people look at: figures and tables of results, cards of datasets."""
