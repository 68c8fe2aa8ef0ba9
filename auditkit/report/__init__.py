"""One document, three renderings."""
