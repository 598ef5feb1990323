"""Methods written as files that run without the library that trained them."""
