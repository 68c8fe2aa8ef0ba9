"""One document, laid out once; terminal, Markdown and HTML only render it, JSON and CSV carry what it is drawn from."""
