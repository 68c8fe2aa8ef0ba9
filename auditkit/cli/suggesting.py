"""A group of commands that says which command was probably meant."""

from __future__ import annotations

import click

from auditkit.spec.words import did_you_mean


class Suggesting(click.Group):
    """A group that names the nearest command when there is none of the name given."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names."""
        names = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in names:
            ctx.fail(f"There is no command {args[0]!r}; {did_you_mean(args[0], names) or 'see --help'}")
        return super().resolve_command(ctx, args)
