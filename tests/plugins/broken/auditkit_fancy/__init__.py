"""Written for another version: the name does not exist."""

from auditkit import Sampler2  # noqa: F401
