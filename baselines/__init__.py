"""The benchmark's methods, each a file, written against the public face of llpbench."""
