"""From a method and a dataset to a folder of results, once or many times."""
