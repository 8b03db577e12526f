"""The one exception that means "the user's input is at fault"."""


class UserError(ValueError):
    """Bad input that its sender can mend: a flag, a file, a row, a record.

    The message is one line: what was expected, what came, where, what to do.
    The scripts print it without a stack trace and exit with code 1
    (`cli.command_line.run`); every other exception is a bug of ours.
    """


def one_line(error: object) -> str:
    """Returns the message of an error without its line breaks."""
    return " ".join(str(error).split())
